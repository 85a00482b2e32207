import type { Block, Statement, Target } from "./ast.ts"
import type { Cursor } from "./cursor.ts"
import { parseExpression, parseSequence } from "./parseExpression.ts"
import { parseFilters } from "./parseFilters.ts"
import { body, parseCallBlock, parseMacro } from "./parseMacro.ts"

/** Statements until a tag that begins with one of `ends`, which is left for the caller; `opened` is where it began. */
export const parseBlock = (cursor: Cursor, opened = 1, ...ends: ReadonlyArray<string>): Block => {
  const statements: Array<Statement> = []
  while (!cursor.is("end")) {
    if (cursor.is("text")) {
      const { line, value } = cursor.next()
      statements.push({ kind: "text", line, text: value })
    } else if (cursor.is("openPrint")) {
      const { line } = cursor.next()
      statements.push({ kind: "print", line, value: parseSequence(cursor) })
      cursor.expect("closePrint")
    } else {
      if (cursor.following.type === "name" && ends.includes(cursor.following.value)) return statements
      cursor.expect("open")
      statements.push(cursor.nested(() => parseStatement(cursor)))
    }
  }
  if (ends.length > 0) cursor.fail(`{% ${ends.at(-1)} %} is missing`, opened)
  return statements
}

const parseStatement = (cursor: Cursor): Statement => {
  const { value: name, line } = cursor.expect("name")
  const closed = (statement: Statement): Statement => {
    cursor.expect("close")
    return statement
  }
  switch (name) {
    case "if":
      return parseIf(cursor, line)
    case "for":
      return closed(parseFor(cursor, line))
    case "set":
      return closed(parseSet(cursor, line))
    case "macro":
      return closed(parseMacro(cursor, line))
    case "call":
      return closed(parseCallBlock(cursor, line))
    case "filter": {
      const filters = parseFilters(cursor, undefined, true)
      return closed({ kind: "capture", line, target: undefined, filters, body: body(cursor, "endfilter") })
    }
    case "with":
      return closed(parseWith(cursor, line))
    case "generation":
      return closed({ kind: "with", line, bindings: [], body: body(cursor, "endgeneration") })
    case "break":
    case "continue":
      return closed({ kind: name, line })
    default:
      return cursor.fail(`unknown tag '${name}'`, line)
  }
}

/** Takes its own last `%}`: an elif is an if within the else. */
const parseIf = (cursor: Cursor, line: number): Statement => {
  const test = parseSequence(cursor, false)
  cursor.expect("close")
  const yes = parseBlock(cursor, line, "elif", "else", "endif")
  cursor.next()
  const { value: next, line: nextLine } = cursor.next()
  if (next === "elif") {
    const no = cursor.nested(() => [parseIf(cursor, nextLine)])
    return { kind: "if", line, test, yes, no }
  }
  const no = next === "else" ? body(cursor, "endif") : []
  cursor.expect("close")
  return { kind: "if", line, test, yes, no }
}

const parseTarget = (cursor: Cursor): Target => {
  const items: Array<Target> = []
  do {
    if (items.length > 0 && !cursor.is("name") && !cursor.isOperator("(")) break
    if (cursor.skip("operator", "(")) {
      items.push(parseTarget(cursor))
      cursor.expect("operator", ")")
      continue
    }
    const name = cursor.expect("name").value
    if (cursor.skip("operator", ".")) items.push({ kind: "member", name, attribute: cursor.expect("name").value })
    else items.push({ kind: "name", name })
  } while (cursor.skip("operator", ","))
  return items.length === 1 ? items[0]! : { kind: "tuple", items }
}

const parseFor = (cursor: Cursor, line: number): Statement => {
  const target = parseTarget(cursor)
  cursor.expect("name", "in")
  const items = parseSequence(cursor, false, () => cursor.isName("recursive"))
  const condition = cursor.skip("name", "if") ? parseExpression(cursor) : undefined
  const recursive = cursor.skip("name", "recursive")
  cursor.expect("close")
  const statements = parseBlock(cursor, line, "else", "endfor")
  cursor.next()
  const otherwise = cursor.next().value === "else" ? body(cursor, "endfor") : []
  return { kind: "for", line, target, items, condition, recursive, body: statements, otherwise }
}

const parseSet = (cursor: Cursor, line: number): Statement => {
  const target = parseTarget(cursor)
  if (cursor.skip("operator", "=")) return { kind: "set", line, target, value: parseSequence(cursor) }
  const filters = parseFilters(cursor, undefined)
  return { kind: "capture", line, target, filters, body: body(cursor, "endset") }
}

const parseWith = (cursor: Cursor, line: number): Statement => {
  const bindings: Array<readonly [Target, ReturnType<typeof parseExpression>]> = []
  while (!cursor.is("close")) {
    if (bindings.length > 0) cursor.expect("operator", ",")
    const target: Target = { kind: "name", name: cursor.expect("name").value }
    cursor.expect("operator", "=")
    bindings.push([target, parseExpression(cursor)])
  }
  return { kind: "with", line, bindings, body: body(cursor, "endwith") }
}
