import { describe, expect, it } from "vitest"
import { compile, refusal, takes } from "./run.ts"

const arithmetic = `
# Sums of products.
root   ::= sum
sum    ::= product (("+" | "-") product)*   # left to right
product ::= value ("*" value)*
value  ::= [0-9]+ | "(" sum ")"
`

describe("EBNF", () => {
  it.each([
    [arithmetic, ["1", "1+2*(3-4)", "((7))"], ["", "1+", "(1", "1++2"]],
    ['root ::= "a"{2,3} "b"? [^x-z]\n', ["aac", "aaabc"], ["ac", "aaz", "aaaac"]],
    ['root ::= item ("," item)*\nitem ::= "\\"" [^"\\\\]* "\\""', ['"a"', '"a","日本"'], ['"', "a"]],
    ['root ::=\n  "x"\n  | "y" "\\n" "\\x41" "\\u00e9"\n', ["x", "y\nAé"], ["y"]],
    ['root ::= a b\na ::= "x" | ""\nb ::= "y" b | ""', ["", "x", "xyyy", "y"], ["yx"]],
    ['root ::= "(" root ")" | ""', ["", "()", "((()))"], ["(", "(()"]],
    ["root ::= . [a-c-] [\\]\\-]{1,} x{0,1}\nx::=[^a]", ["éa]", "q-]-]", "qa-!"], ["q]", "qa"]],
    ['root ::= "a" root "a" | "a" root "b" | "c"', ["c", "aca", "aacba"], ["ac", "acab"]]
  ] as const)("%s", (grammar, good, bad) => {
    const made = compile({ grammar })
    for (const text of good) expect(takes(made, text), text).toBe(true)
    for (const text of bad) expect(takes(made, text), text).toBe(false)
  })

  it.each([
    ['root ::= root "a" | "b"', "left recursion: root -> root"],
    ['root ::= a\na ::= b? c "x"\nb ::= "b"\nc ::= a | "c"', "left recursion: a -> c -> a"],
    ['root ::= e a\ne ::= ""\na ::= e root | "x"', "left recursion: root -> a -> root"],
    ["root ::= x", "the rule x, which root uses"],
    ['a ::= "a"', "no rule root"],
    ["", "no rule root"],
    ['root ::= "a\n', '"\\""'],
    ['root ::= ("a"', "a group without its end"],
    ["root ::= [a", "a class without its end"],
    ['root = "a"', "no ::= after root"],
    ['root ::= "a"{3,2}', "bounds"],
    ['root ::= "a"\nroot ::= "b"', "a second rule root"],
    ['root ::= "a" )', '")"'],
    ['root ::= "a" root', "no text matches"],
    [`root ::= ${"(".repeat(300)}"a"${")".repeat(300)}`, "nested deeper"]
  ])("%s is refused: %s", (grammar, given) => {
    const fault = refusal({ grammar })
    expect(fault.at).toBe(".grammar")
    expect(fault.given).toContain(given)
  })

  it("says where it stumbled", () => {
    expect(refusal({ grammar: 'root ::= "a"\n  | ?' }).given).toContain("line 2, column 5")
  })

  it("runs a grammar of exponentially many readings over a long text", () => {
    const made = compile({ grammar: 'root ::= "a" root "b" | "a" root "c" | "d"' })
    expect(takes(made, `${"a".repeat(300)}d${"bc".repeat(150)}`)).toBe(true)
  })
})
