import type { Token } from "./library.ts"

const word = (token: Token | undefined, ...values: ReadonlyArray<string>): boolean =>
  token?.type === "Identifier" && values.includes(token.value)

const operators = ["and", "or", "else", "if", "is", "in", "not"]
const opens: Readonly<Record<string, string>> = {
  OpenSquareBracket: "CloseSquareBracket",
  OpenCurlyBracket: "CloseCurlyBracket",
  OpenParen: "CloseParen"
}

/** The end of the argument that begins at a token, which need not stand in parentheses; the same place where there is none. */
const endOfArgument = (tokens: ReadonlyArray<Token>, start: number): number => {
  const first = tokens[start]
  if (first === undefined) return start
  const close = opens[first.type]
  if (close !== undefined) {
    let depth = 0
    for (let at = start; at < tokens.length; at++) {
      if (tokens[at]!.type === first.type) depth++
      if (tokens[at]!.type === close && --depth === 0) return at + 1
    }
    return start
  }
  const simple = first.type === "NumericLiteral" || first.type === "StringLiteral"
  if (!simple && (first.type !== "Identifier" || word(first, ...operators))) return start
  let end = start + 1
  while (tokens[end]?.type === "Dot") end += 2
  return end
}

/**
 * The library's parser knows tests without arguments only. `x is [not] test(y)` and `x is [not] test y` become
 * `x | «is [not] test»(y)`, a filter whose name no template can write, which binds as a test does.
 */
export const withTestsAsFilters = (tokens: ReadonlyArray<Token>): Array<Token> => {
  const mended: Array<Token> = []
  let at = 0
  while (at < tokens.length) {
    const token = tokens[at]!
    const not = word(tokens[at + 1], "not") ? 1 : 0
    const name = tokens[at + 1 + not]
    const start = at + 2 + not
    const end = word(token, "is") && name?.type === "Identifier" ? endOfArgument(tokens, start) : start
    if (end === start) {
      mended.push(token)
      at++
      continue
    }
    const bare = tokens[start]!.type !== "OpenParen"
    mended.push({ type: "Pipe", value: "|" }, { type: "Identifier", value: `is ${not ? "not " : ""}${name!.value}` })
    if (bare) mended.push({ type: "OpenParen", value: "(" })
    mended.push(...withTestsAsFilters(tokens.slice(start, end)))
    if (bare) mended.push({ type: "CloseParen", value: ")" })
    at = end
  }
  return mended
}
