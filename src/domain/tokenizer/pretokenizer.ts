import { spellBytes } from "./bytes.ts"
import {
  type CompileRegex,
  countOf,
  flagOf,
  patternOf,
  type Rule,
  rulesOf,
  TokenizerFault,
  textOf,
  typeOf
} from "./rule.ts"
import { type Behavior, splitBy } from "./split.ts"

/** Cuts a stretch of text into pieces that are tokenized by themselves. `first`: the stretch begins the whole text. */
export type PreTokenizer = (text: string, first: boolean) => ReadonlyArray<string>

/** GPT-2's split, in Rust's meaning of \s. */
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu
const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu
const SPACE = /\p{White_Space}+/gu
const PUNCTUATION = /[\p{P}!-/:-@[-`{-~]/gu

const keep: PreTokenizer = (text) => [text]

/** `byteLevel`: the model takes bytes; then a ByteLevel rule cuts but does not spell, for the model reads UTF-8 itself. */
export const preTokenizerOf = (rule: Rule | undefined, compile: CompileRegex, byteLevel: boolean): PreTokenizer => {
  if (rule === undefined) return keep
  switch (typeOf(rule)) {
    case "Sequence":
      return inTurn(rulesOf(rule, "pretokenizers").map((step) => preTokenizerOf(step, compile, byteLevel)))
    case "ByteLevel":
      return byteLevelCut(rule, byteLevel)
    case "Metaspace":
      return metaspace(rule)
    case "Split": {
      const pattern = patternOf(rule, compile)
      const behavior = behaviorOf(rule, "Isolated")
      const invert = flagOf(rule, "invert")
      return (text) => splitBy(text, pattern, behavior, invert)
    }
    case "Punctuation": {
      const behavior = behaviorOf(rule, "Isolated")
      return (text) => splitBy(text, PUNCTUATION, behavior)
    }
    case "Digits": {
      const behavior = flagOf(rule, "individual_digits") ? "Isolated" : "Contiguous"
      return (text) => splitBy(text, /\p{N}/gu, behavior)
    }
    case "Whitespace":
      return (text) => text.match(WORDS) ?? []
    case "WhitespaceSplit":
      return (text) => splitBy(text, SPACE, "Removed")
    case "BertPreTokenizer":
      return (text) => splitBy(text, SPACE, "Removed").flatMap((word) => splitBy(word, PUNCTUATION, "Isolated"))
    case "CharDelimiterSplit": {
      const delimiter = textOf(rule, "delimiter", " ")
      return (text) => text.split(delimiter).filter((piece) => piece !== "")
    }
    case "FixedLength":
      return fixedLength(Math.max(1, countOf(rule, "length", 5)))
    default:
      throw new TokenizerFault(`the pre-tokenizer ${typeOf(rule)} is not known`)
  }
}

const behaviors: ReadonlyArray<Behavior> = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
const behaviorOf = (rule: Rule, otherwise: Behavior): Behavior => {
  const name = textOf(rule, "behavior", otherwise).toLowerCase().replaceAll("_", "")
  const behavior = behaviors.find((known) => known.toLowerCase() === name)
  if (behavior === undefined)
    throw new TokenizerFault(`${typeOf(rule)} has the behavior ${name}; known are ${behaviors.join(", ")}`)
  return behavior
}

const inTurn = (steps: ReadonlyArray<PreTokenizer>): PreTokenizer => {
  if (steps.length === 1) return steps[0]!
  return (text, first) => {
    let pieces: ReadonlyArray<string> = [text]
    for (const step of steps) {
      if (step === keep) continue
      const cut: Array<string> = []
      for (let i = 0; i < pieces.length; i++) for (const piece of step(pieces[i]!, first && i === 0)) cut.push(piece)
      pieces = cut
    }
    return pieces
  }
}

const byteLevelCut = (rule: Rule, byteLevel: boolean): PreTokenizer => {
  const prefixed = flagOf(rule, "add_prefix_space", true)
  const cut = flagOf(rule, "use_regex", true)
  if (byteLevel && !prefixed && !cut) return keep
  return (text) => {
    if (prefixed && !text.startsWith(" ")) text = ` ${text}`
    const pieces = cut ? splitBy(text, GPT2, "Isolated") : [text]
    return byteLevel ? pieces : pieces.map(spellBytes)
  }
}

const metaspace = (rule: Rule): PreTokenizer => {
  const mark = textOf(rule, "replacement", "▁")
  const scheme = textOf(rule, "prepend_scheme", flagOf(rule, "add_prefix_space", true) ? "always" : "never")
  const split = flagOf(rule, "split", true)
  const pattern = new RegExp(mark, "gu")
  return (text, first) => {
    text = text.replaceAll(" ", mark)
    const prepend = scheme === "always" || (scheme === "first" && first)
    if (prepend && !text.startsWith(mark)) text = mark + text
    return split ? splitBy(text, pattern, "MergedWithNext") : [text]
  }
}

const fixedLength =
  (length: number): PreTokenizer =>
  (text) => {
    const chars = [...text]
    const pieces: Array<string> = []
    for (let i = 0; i < chars.length; i += length) pieces.push(chars.slice(i, i + length).join(""))
    return pieces
  }
