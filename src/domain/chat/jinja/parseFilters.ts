import type { Arguments, Expression } from "./ast.ts"
import type { Cursor } from "./cursor.ts"
import { parseArguments, parseCall, parsePostfix, parsePrimary } from "./parsePrimary.ts"

const none: Arguments = { positional: [], named: [] }

/** `| filter`, `is test`, and calls of what they gave. */
export const parseTestsAndFilters = (cursor: Cursor, start: Expression): Expression => {
  let node = start
  while (true) {
    if (cursor.isOperator("|")) node = parseFilters(cursor, node)!
    else if (cursor.isName("is")) node = parseTest(cursor, node)
    else if (cursor.isOperator("(")) node = parseCall(cursor, node)
    else return node
  }
}

const dotted = (cursor: Cursor): string => {
  let name = cursor.expect("name").value
  while (cursor.skip("operator", ".")) name += `.${cursor.expect("name").value}`
  return name
}

/** `| a | b(1)`; `inline` reads the name of a filter block, which no bar precedes. */
export const parseFilters = (cursor: Cursor, start: Expression | undefined, inline = false): Expression | undefined => {
  let node = start
  let bare = inline
  while (bare || cursor.isOperator("|")) {
    if (!bare) cursor.next()
    bare = false
    const { line } = cursor.current
    const name = dotted(cursor)
    node = { kind: "filter", line, target: node, name, args: cursor.isOperator("(") ? parseArguments(cursor) : none }
  }
  return node
}

const testArgument = (cursor: Cursor): boolean =>
  cursor.is("string") ||
  cursor.is("integer") ||
  cursor.is("float") ||
  cursor.isOperator("[", "{") ||
  (cursor.is("name") && !cursor.isName("else", "or", "and", "is", "if", "in", "not"))

const parseTest = (cursor: Cursor, target: Expression): Expression => {
  const { line } = cursor.next()
  const negated = cursor.skip("name", "not")
  const name = dotted(cursor)
  let args = none
  if (cursor.isOperator("(")) args = parseArguments(cursor)
  else if (testArgument(cursor)) args = { positional: [parsePostfix(cursor, parsePrimary(cursor))], named: [] }
  return { kind: "test", line, target, name, args, negated }
}
