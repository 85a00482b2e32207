import type { BinaryOperator, CompareOperator, Expression } from "./ast.ts"
import type { Cursor } from "./cursor.ts"
import { parseTestsAndFilters } from "./parseFilters.ts"
import { parsePostfix, parsePrimary } from "./parsePrimary.ts"

/** `a if test else b`, the loosest. */
export const parseExpression = (cursor: Cursor, withCondition = true): Expression =>
  cursor.nested(() => {
    let left = parseOr(cursor)
    while (withCondition && cursor.isName("if")) {
      const { line } = cursor.next()
      const test = parseOr(cursor)
      const no = cursor.skip("name", "else") ? parseExpression(cursor) : undefined
      left = { kind: "choice", line, test, yes: left, no }
    }
    return left
  })

/** One expression, or several between commas as a tuple, until a tag closes or `stop` says so. */
export const parseSequence = (cursor: Cursor, withCondition = true, stop = () => false): Expression => {
  const { line } = cursor.current
  const first = parseExpression(cursor, withCondition)
  if (!cursor.isOperator(",")) return first
  const items = [first]
  while (cursor.skip("operator", ",")) {
    if (cursor.is("close") || cursor.is("closePrint") || cursor.isOperator(")", "=") || stop()) break
    items.push(parseExpression(cursor, withCondition))
  }
  return { kind: "tuple", line, items }
}

const parseOr = (cursor: Cursor): Expression => {
  let left = parseAnd(cursor)
  while (cursor.isName("or")) left = { kind: "or", line: cursor.next().line, left, right: parseAnd(cursor) }
  return left
}

const parseAnd = (cursor: Cursor): Expression => {
  let left = parseNot(cursor)
  while (cursor.isName("and")) left = { kind: "and", line: cursor.next().line, left, right: parseNot(cursor) }
  return left
}

const parseNot = (cursor: Cursor): Expression => {
  if (!cursor.isName("not")) return parseCompare(cursor)
  const { line } = cursor.next()
  return cursor.nested(() => ({ kind: "unary", line, operator: "not", operand: parseNot(cursor) }))
}

const compareOperator = (cursor: Cursor): CompareOperator | undefined => {
  if (cursor.isOperator("==", "!=", "<", "<=", ">", ">=")) return cursor.next().value as CompareOperator
  if (cursor.skip("name", "in")) return "in"
  if (!cursor.isName("not") || cursor.following.type !== "name" || cursor.following.value !== "in") return undefined
  cursor.next()
  cursor.next()
  return "not in"
}

const parseCompare = (cursor: Cursor): Expression => {
  const { line } = cursor.current
  const first = parseSum(cursor)
  const rest: Array<readonly [CompareOperator, Expression]> = []
  for (let operator = compareOperator(cursor); operator !== undefined; operator = compareOperator(cursor))
    rest.push([operator, parseSum(cursor)])
  return rest.length === 0 ? first : { kind: "compare", line, first, rest }
}

const binaries = (cursor: Cursor, operators: ReadonlyArray<string>, operand: (cursor: Cursor) => Expression) => {
  let left = operand(cursor)
  while (cursor.isOperator(...operators)) {
    const { value, line } = cursor.next()
    left = { kind: "binary", line, operator: value as BinaryOperator, left, right: operand(cursor) }
  }
  return left
}

const parseSum = (cursor: Cursor): Expression => binaries(cursor, ["+", "-"], parseConcat)

/** `~` binds tighter than `+`, looser than `*`. */
const parseConcat = (cursor: Cursor): Expression => {
  const { line } = cursor.current
  const first = parseProduct(cursor)
  const parts = [first]
  while (cursor.skip("operator", "~")) parts.push(parseProduct(cursor))
  return parts.length === 1 ? first : { kind: "concat", line, parts }
}

const parseProduct = (cursor: Cursor): Expression => binaries(cursor, ["*", "/", "//", "%"], parsePower)

/** From the left, unlike Python's: Jinja reads `2 ** 3 ** 2` as `(2 ** 3) ** 2`. */
const parsePower = (cursor: Cursor): Expression => binaries(cursor, ["**"], parseUnary)

/** `-x|f` is `(-x)|f`: a sign binds tighter than filters and tests. */
const parseUnary = (cursor: Cursor, withFilters = true): Expression => {
  const { line } = cursor.current
  const operator = cursor.isOperator("-", "+") ? (cursor.next().value as "-" | "+") : undefined
  const node: Expression =
    operator === undefined
      ? parsePostfix(cursor, parsePrimary(cursor))
      : { kind: "unary", line, operator, operand: cursor.nested(() => parseUnary(cursor, false)) }
  return withFilters ? parseTestsAndFilters(cursor, operator === undefined ? node : parsePostfix(cursor, node)) : node
}
