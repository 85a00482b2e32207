import type { Arguments, Call, Expression } from "./ast.ts"
import type { Cursor } from "./cursor.ts"
import type { Token } from "./lexer.ts"
import { parseExpression, parseSequence } from "./parseExpression.ts"
import { floatOf } from "./value.ts"

const constants: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["True", true],
  ["false", false],
  ["False", false],
  ["none", null],
  ["None", null]
])

/** A constant, a name, or something in brackets. */
export const parsePrimary = (cursor: Cursor): Expression => {
  const token = cursor.current
  const { line } = token
  if (token.type === "name") return parseName(cursor)
  if (token.type === "string") return parseText(cursor)
  if (token.type === "integer" || token.type === "float")
    return { kind: "const", line, value: parseNumber(cursor.next()) }
  if (cursor.skip("operator", "(")) {
    const empty = cursor.isOperator(")")
    const inner: Expression = empty ? { kind: "tuple", line, items: [] } : parseSequence(cursor)
    cursor.expect("operator", ")")
    return inner
  }
  if (cursor.skip("operator", "[")) return { kind: "list", line, items: parseItems(cursor, "]") }
  if (cursor.skip("operator", "{")) return { kind: "dict", line, entries: parseEntries(cursor) }
  return cursor.fail(`expected an expression, found ${cursor.describe()}`)
}

const parseName = (cursor: Cursor): Expression => {
  const { value, line } = cursor.next()
  const constant = constants.get(value)
  if (constant !== undefined) return { kind: "const", line, value: constant }
  cursor.names.push(value)
  return { kind: "name", line, name: value }
}

/** Texts side by side are one. */
const parseText = (cursor: Cursor): Expression => {
  const { line } = cursor.current
  let value = ""
  while (cursor.is("string")) value += cursor.next().value
  return { kind: "const", line, value }
}

const parseNumber = ({ type, value }: Token) =>
  type === "float" ? floatOf(Number(value.replaceAll("_", ""))) : Number(value.replaceAll("_", ""))

const parseItems = (cursor: Cursor, close: string): ReadonlyArray<Expression> => {
  const items: Array<Expression> = []
  while (!cursor.isOperator(close)) {
    items.push(parseExpression(cursor))
    if (!cursor.isOperator(close)) cursor.expect("operator", ",")
  }
  cursor.next()
  return items
}

const parseEntries = (cursor: Cursor): ReadonlyArray<readonly [Expression, Expression]> => {
  const entries: Array<readonly [Expression, Expression]> = []
  while (!cursor.isOperator("}")) {
    const key = parseExpression(cursor)
    cursor.expect("operator", ":")
    entries.push([key, parseExpression(cursor)])
    if (!cursor.isOperator("}")) cursor.expect("operator", ",")
  }
  cursor.next()
  return entries
}

/** What follows a value at once: `.name`, `[key]`, `(arguments)`. */
export const parsePostfix = (cursor: Cursor, start: Expression): Expression => {
  let node = start
  while (true) {
    if (cursor.isOperator(".")) node = parseDot(cursor, node)
    else if (cursor.isOperator("[")) node = parseSubscript(cursor, node)
    else if (cursor.isOperator("(")) node = parseCall(cursor, node)
    else return node
  }
}

const parseDot = (cursor: Cursor, target: Expression): Expression => {
  const { line } = cursor.next()
  if (cursor.is("integer"))
    return { kind: "item", line, target, key: { kind: "const", line, value: parseNumber(cursor.next()) } }
  return { kind: "attribute", line, target, name: cursor.expect("name").value }
}

const parseSubscript = (cursor: Cursor, target: Expression): Expression => {
  const { line } = cursor.next()
  const bounds: Array<Expression | undefined> = []
  let sliced = false
  while (!cursor.isOperator("]") && bounds.length < 4) {
    const bound = cursor.isOperator(":") ? undefined : parseSequence(cursor, true, () => cursor.isOperator("]"))
    bounds.push(bound)
    if (cursor.skip("operator", ":")) sliced = true
    else break
  }
  if (bounds.length > 3) cursor.fail("a slice has three parts at most")
  cursor.expect("operator", "]")
  if (sliced) return { kind: "slice", line, target, bounds }
  return bounds[0] === undefined ? cursor.fail("expected a key", line) : { kind: "item", line, target, key: bounds[0] }
}

export const parseCall = (cursor: Cursor, callee: Expression): Call => ({
  kind: "call",
  line: cursor.current.line,
  callee,
  args: parseArguments(cursor)
})

export const parseArguments = (cursor: Cursor): Arguments => {
  cursor.expect("operator", "(")
  const positional: Array<Expression> = []
  const named: Array<readonly [string, Expression]> = []
  const unpacked: { rest?: Expression; restNamed?: Expression } = {}
  while (!cursor.isOperator(")")) {
    if (cursor.skip("operator", "**")) unpacked.restNamed = parseExpression(cursor)
    else if (cursor.skip("operator", "*")) unpacked.rest = parseExpression(cursor)
    else if (cursor.is("name") && cursor.following.type === "operator" && cursor.following.value === "=") {
      const name = cursor.next().value
      cursor.next()
      named.push([name, parseExpression(cursor)])
    } else if (named.length > 0) cursor.fail("an argument without a name follows one with a name")
    else positional.push(parseExpression(cursor))
    if (!cursor.isOperator(")")) cursor.expect("operator", ",")
  }
  cursor.next()
  return { positional, named, ...unpacked }
}
