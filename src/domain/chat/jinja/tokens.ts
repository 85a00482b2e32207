import type { Token } from "./library.ts"

const word = (token: Token | undefined, ...values: ReadonlyArray<string>): boolean =>
  token?.type === "Identifier" && values.includes(token.value)

const operators = ["and", "or", "else", "if", "is", "in", "not"]
const closing: Readonly<Record<string, string>> = {
  CloseSquareBracket: "OpenSquareBracket",
  CloseCurlyBracket: "OpenCurlyBracket",
  CloseParen: "OpenParen"
}
const opening: ReadonlySet<string> = new Set(Object.values(closing))

/** For each bracket that is closed, the place behind its end. */
const endsOf = (tokens: ReadonlyArray<Token>): ReadonlyMap<number, number> => {
  const ends = new Map<number, number>()
  const open: Array<number> = []
  for (const [at, { type }] of tokens.entries()) {
    if (opening.has(type)) open.push(at)
    const start = closing[type] === undefined ? undefined : open.pop()
    if (start !== undefined && tokens[start]?.type === closing[type]) ends.set(start, at + 1)
  }
  return ends
}

/** The end of the argument that begins at a token and need not stand in parentheses; none where no argument begins. */
const endOfArgument = (
  tokens: ReadonlyArray<Token>,
  start: number,
  ends: ReadonlyMap<number, number>
): number | undefined => {
  const first = tokens[start]
  if (first === undefined || opening.has(first.type)) return ends.get(start)
  const simple = first.type === "NumericLiteral" || first.type === "StringLiteral"
  if (!simple && (first.type !== "Identifier" || word(first, ...operators))) return undefined
  let end = start + 1
  while (tokens[end]?.type === "Dot") end += 2
  return end
}

/**
 * The library's parser knows tests without arguments only. `x is [not] test(y)` and `x is [not] test y` become
 * `x | «is [not] test»(y)`, a filter whose name no template can write, which binds as a test does.
 */
export const withTestsAsFilters = (tokens: ReadonlyArray<Token>): Array<Token> => {
  const ends = endsOf(tokens)
  const mended: Array<Token> = []
  const toClose = new Map<number, number>()
  let at = 0
  while (at < tokens.length) {
    for (let count = toClose.get(at) ?? 0; count > 0; count--) mended.push({ type: "CloseParen", value: ")" })
    const token = tokens[at]!
    const not = word(tokens[at + 1], "not") ? 1 : 0
    const name = tokens[at + 1 + not]
    const start = at + 2 + not
    const isTest = word(token, "is") && tokens[at - 1]?.type !== "Dot" && name?.type === "Identifier"
    const end = isTest ? endOfArgument(tokens, start, ends) : undefined
    if (end === undefined) {
      mended.push(token)
      at++
      continue
    }
    mended.push({ type: "Pipe", value: "|" }, { type: "Identifier", value: `is ${not ? "not " : ""}${name!.value}` })
    if (tokens[start]!.type !== "OpenParen") {
      mended.push({ type: "OpenParen", value: "(" })
      toClose.set(end, (toClose.get(end) ?? 0) + 1)
    }
    at = start
  }
  return mended
}
