import type { Block, Expression, For, Statement, Target } from "./jinja/ast.ts"
import type { Template } from "./jinja/template.ts"

/**
 * How a template wants a message's content: as one text, or as a list of parts as in OpenAI's API. `either`: it asks which of
 * the two it has, so a text stays a text.
 */
export type ContentFormat = "string" | "openai" | "either"

/** Whether an expression is the name, or a part of it: `x`, `x[1:]`, `x | reject(…)`. With a key: `x.key`, `x["key"]`. */
const refersTo = (node: Expression | undefined, name: string, key?: string): boolean => {
  if (node === undefined) return false
  if (node.kind === "filter" || node.kind === "test" || node.kind === "slice") return refersTo(node.target, name, key)
  if (key === undefined) return node.kind === "name" && node.name === name
  if (node.kind !== "attribute" && node.kind !== "item") return false
  const named = node.kind === "attribute" ? node.name : node.key.kind === "const" ? node.key.value : undefined
  return named === key && node.target.kind === "name" && node.target.name === name
}

const blocksIn = (statement: Statement): ReadonlyArray<Block> => {
  switch (statement.kind) {
    case "if":
      return [statement.yes, statement.no]
    case "for":
      return [statement.body, statement.otherwise]
    case "callBlock":
      return [statement.caller.body]
    case "macro":
    case "capture":
    case "with":
      return [statement.body]
    default:
      return []
  }
}

const allIn = (block: Block): ReadonlyArray<Statement> =>
  block.flatMap((statement) => [statement, ...blocksIn(statement).flatMap(allIn)])

const nameOf = (target: Target): string | undefined => (target.kind === "name" ? target.name : undefined)

/** `messages`, and the names that a template gives it or a part of it. */
const namesOfMessages = (statements: ReadonlyArray<Statement>): ReadonlySet<string> => {
  const names = new Set(["messages"])
  // A set grows while it is gone through, and each name is visited once.
  for (const known of names)
    for (const statement of statements) {
      const name = statement.kind === "set" && refersTo(statement.value, known) ? nameOf(statement.target) : undefined
      if (name !== undefined) names.add(name)
    }
  return names
}

/** Whether a node of the tree satisfies `is`, the root included. */
const some = (node: unknown, is: (node: Expression) => boolean): boolean => {
  if (typeof node !== "object" || node === null) return false
  if ("kind" in node && is(node as Expression)) return true
  return Object.values(node).some((child) => some(child, is))
}

/**
 * A template that goes through the content of the messages it goes through wants parts; any other a text. As vLLM tells, but
 * that a template which asks whether a content is a text gets those as they are: it may do so for some roles only.
 */
export const contentFormatOf = ({ body }: Template): ContentFormat => {
  const statements = allIn(body)
  const loops = statements.filter((statement): statement is For => statement.kind === "for")
  const over = (names: Iterable<string>, key?: string) =>
    loops.filter(({ items }) => Array.from(names).some((name) => refersTo(items, name, key)))
  const messages = over(namesOfMessages(statements)).flatMap(({ target }) => nameOf(target) ?? [])
  if (!over(new Set(messages), "content").some(({ target }) => nameOf(target) !== undefined)) return "string"
  const asks = (node: Expression) =>
    node.kind === "test" && node.name === "string" && messages.some((name) => refersTo(node.target, name, "content"))
  return some(body, asks) ? "either" : "openai"
}
