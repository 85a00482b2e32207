import type { Block, Macro, Parameter, Statement } from "./ast.ts"
import type { Cursor } from "./cursor.ts"
import { parseExpression } from "./parseExpression.ts"
import { parsePostfix, parsePrimary } from "./parsePrimary.ts"
import { parseBlock } from "./parseStatement.ts"

/** The body of a block: `%}`, statements, `{% end`; the end's name is taken, its `%}` left. */
export const body = (cursor: Cursor, end: string): Block => {
  const { line } = cursor.expect("close")
  const statements = parseBlock(cursor, line, end)
  cursor.next()
  cursor.next()
  return statements
}

const parseParameters = (cursor: Cursor): ReadonlyArray<Parameter> => {
  const parameters: Array<Parameter> = []
  cursor.expect("operator", "(")
  while (!cursor.isOperator(")")) {
    const name = cursor.expect("name").value
    const fallback = cursor.skip("operator", "=") ? parseExpression(cursor) : undefined
    if (fallback === undefined && parameters.at(-1)?.fallback !== undefined)
      cursor.fail("a parameter without a default follows one with a default")
    parameters.push({ name, fallback })
    if (!cursor.isOperator(")")) cursor.expect("operator", ",")
  }
  cursor.next()
  return parameters
}

const makeMacro = (
  cursor: Cursor,
  line: number,
  name: string,
  end: string,
  parameters: ReadonlyArray<Parameter>
): Macro => {
  const before = cursor.names.length
  const statements = body(cursor, end)
  return { kind: "macro", line, name, parameters, body: statements, uses: new Set(cursor.names.slice(before)) }
}

export const parseMacro = (cursor: Cursor, line: number): Macro => {
  const name = cursor.expect("name").value
  return makeMacro(cursor, line, name, "endmacro", parseParameters(cursor))
}

export const parseCallBlock = (cursor: Cursor, line: number): Statement => {
  const parameters = cursor.isOperator("(") ? parseParameters(cursor) : []
  const call = parsePostfix(cursor, parsePrimary(cursor))
  if (call.kind !== "call") return cursor.fail("expected a call", line)
  return {
    kind: "callBlock",
    line,
    call,
    caller: makeMacro(cursor, line, "caller", "endcall", parameters)
  }
}
