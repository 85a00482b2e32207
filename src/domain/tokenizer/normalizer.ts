import { bertNormalizer } from "./bert.ts"
import { spellBytes } from "./bytes.ts"
import { precompiled } from "./charsmap.ts"
import { lowercase, type Normalizer } from "./lowercase.ts"
import { type CompileRegex, flagOf, patternOf, type Rule, rulesOf, TokenizerFault, textOf, typeOf } from "./rule.ts"

/** The normalizer of a tokenizer.json; undefined where there is none, or an empty sequence. */
export const normalizerOf = (rule: Rule | undefined, compile: CompileRegex): Normalizer | undefined => {
  if (rule === undefined) return undefined
  switch (typeOf(rule)) {
    case "Sequence": {
      const steps = rulesOf(rule, "normalizers").flatMap((step) => normalizerOf(step, compile) ?? [])
      return steps.length === 0 ? undefined : (text) => steps.reduce((done, step) => step(done), text)
    }
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = typeOf(rule)
      return (text) => text.normalize(form)
    }
    case "Replace": {
      const pattern = patternOf(rule, compile)
      const content = textOf(rule, "content")
      return (text) => text.replace(pattern, () => content)
    }
    case "Prepend": {
      const prefix = textOf(rule, "prepend")
      return (text) => (text === "" ? text : prefix + text)
    }
    case "Lowercase":
      return lowercase
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "")
    case "Strip":
      return strip(flagOf(rule, "strip_left", true), flagOf(rule, "strip_right", true))
    case "ByteLevel":
      return spellBytes
    case "BertNormalizer":
      return bertNormalizer(rule)
    case "Precompiled":
      return precompiled(textOf(rule, "precompiled_charsmap"))
    default:
      throw new TokenizerFault(`the normalizer ${typeOf(rule)} is not known`)
  }
}

const strip =
  (left: boolean, right: boolean): Normalizer =>
  (text) => {
    if (left) text = text.replace(/^\p{White_Space}+/u, "")
    return right ? stripRight(text) : text
  }

/** From the end, character by character: a regex would try again at every run of white space before it. */
const stripRight: Normalizer = (text) => {
  let end = text.length
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1]!)) end--
  return text.slice(0, end)
}
