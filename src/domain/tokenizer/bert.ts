import { lowercase, type Normalizer } from "./lowercase.ts"
import { flagOf, type Rule } from "./rule.ts"

const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\uFFFD]/gu
const CHINESE =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu

/** BERT's cleaning: control characters go, white space becomes a space, Chinese characters stand alone, accents and case go. */
export const bertNormalizer = (rule: Rule): Normalizer => {
  const clean = flagOf(rule, "clean_text", true)
  const chinese = flagOf(rule, "handle_chinese_chars", true)
  const lower = flagOf(rule, "lowercase", true)
  const accents = flagOf(rule, "strip_accents", lower)
  return (text) => {
    // White space first: tab and the line ends are control characters that must stay.
    if (clean)
      text = text
        .replace(/[\t\n\r]/g, " ")
        .replace(CONTROL, "")
        .replace(/\p{White_Space}/gu, " ")
    if (chinese) text = text.replace(CHINESE, " $& ")
    if (accents) text = text.normalize("NFD").replace(/\p{Mn}/gu, "")
    return lower ? lowercase(text) : text
  }
}
