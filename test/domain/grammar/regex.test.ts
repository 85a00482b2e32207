import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { compile, refusal, takes } from "./run.ts"

const patterns = [
  ...[
    "abc",
    "a|b|",
    "a*b+c?",
    "(ab){2,3}",
    "x{0}y",
    "[a-c]",
    "[^a-c]",
    "[\\d_-]",
    "\\w+\\s\\W",
    ".",
    "\\.",
    "a{,2}",
    "a{x}"
  ],
  ...[
    "(?:a|(b))c",
    "(?<n>a)",
    "^ab$",
    "^a|b$",
    "\\u0061\\x62",
    "\\u{1F600}",
    "é+",
    "[à-ü]",
    "\\p{Lu}\\p{L}*",
    "[\\p{N}x]"
  ],
  ...["\\S\\D", "(a|ab)(c|bcd)", "(a*)*", "\\/\\-", "[\\]a]", "\\ud83d\\ude00"]
]

const texts = FastCheck.oneof(
  FastCheck.string({ unit: FastCheck.constantFrom(..."abcdxy01_- \n.é😀ÀüZ/]{},"), maxLength: 6 }),
  FastCheck.constantFrom("abab", "ababab", "ab", "abcd", "a{x}", "a{,2}", "😀", "bc", "ac")
)

/** JavaScript's own judgement of the whole text, where it reads the pattern as we do. */
const matches = (pattern: string, text: string) =>
  new RegExp(`^(?:${pattern.replace(/^\^|\$$/g, "")})$`, "u").test(text)

const compilesInJs = (pattern: string) => {
  try {
    return new RegExp(pattern, "u") !== undefined
  } catch {
    return false
  }
}

describe("a regex", () => {
  it.each(patterns.filter((pattern) => compilesInJs(pattern) && !/\||\[\]|\[\^\]/.test(pattern)))(
    "%s matches whole texts as JavaScript's do",
    (pattern) => {
      const grammar = compile({ regex: pattern })
      FastCheck.assert(
        FastCheck.property(texts, (text) => {
          expect(takes(grammar, text), text).toBe(matches(pattern, text))
        }),
        { numRuns: 60 }
      )
    }
  )

  it.each([
    ["a|b|", ["a", "b", ""], ["ab"]],
    ["^a|b$", ["a", "b"], ["ab", "ax"]],
    ["(?:a|(b))c", ["ac", "bc"], ["c"]],
    ["(a|ab)(c|bcd)", ["ac", "abc", "abcd", "abbcd"], ["ab"]],
    ["a{x}", ["a{x}"], ["a"]],
    ["[\\]a]?b", ["b", "]b", "ab"], ["xb"]]
  ] as const)("%s takes %j and not %j", (pattern, good, bad) => {
    const grammar = compile({ regex: pattern })
    for (const text of good) expect(takes(grammar, text), text).toBe(true)
    for (const text of bad) expect(takes(grammar, text), text).toBe(false)
  })

  it.each([
    ["(a", "without its end"],
    ["a)", "unmatched"],
    ["[a", "without its end"],
    ["[b-a]", "range"],
    ["a**", "second quantifier"],
    ["*a", "nothing before it"],
    ["a{3,2}", "{3,2}"],
    ["(?=a)b", "(?=a"],
    ["(a)\\1", "back reference"],
    ["\\bword", "\\b"],
    ["a^b", "inside"],
    ["(^a)", "inside"],
    ["\\q", "\\q"],
    ["\\p{Nope}", "Nope"],
    ["a\\", "at the end"],
    ["[^\\s\\S]", "no text matches"],
    ["(".repeat(300), "nested"],
    ["((a{1,1000}){1,1000}){1,1000}", "multiply"],
    ["(?:a{1,99999}b?){1,9}", "multiply"]
  ])("%s is refused: %s", (pattern, given) => {
    const fault = refusal({ regex: pattern })
    expect(fault.at).toBe(".regex")
    expect(fault.given).toContain(given)
    expect(fault.mend).not.toBe("")
  })

  it.each([
    ["(a|aa)*b", "b"],
    ["(.*a.{0,30}){0,5}b", "b"],
    ["(a*)*(a*)*b", "b"],
    ["((a|b|ab)*c){0,50}", "c"],
    ["(a+a+)+y", "y"]
  ])("%s, which makes backtrackers explode, runs", (pattern, end) => {
    const grammar = compile({ regex: pattern })
    expect(takes(grammar, `${"a".repeat(200)}${end}`)).toBe(true)
    expect(takes(grammar, `${"a".repeat(200)}\n`)).toBe(false)
  })
})
