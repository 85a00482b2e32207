import type { Block, Expression, For, Statement, Target } from "./jinja/ast.ts"
import type { Template } from "./jinja/template.ts"

/**
 * How a template wants a message's content: as one text, or as a list of parts as in OpenAI's API. `either`: it asks which of
 * the two it has, so a text stays a text.
 */
export type ContentFormat = "string" | "openai" | "either"

/** What an expression reads, `x[1:]` and `x | reject(…)` as `x`: a name, or one key of it. */
interface Subject {
  readonly name: string
  readonly key?: unknown
}

const subjectOf = (node: Expression): Subject | undefined => {
  let inner: Expression | undefined = node
  while (inner?.kind === "filter" || inner?.kind === "test" || inner?.kind === "slice") inner = inner.target
  if (inner?.kind === "name") return { name: inner.name }
  if ((inner?.kind !== "attribute" && inner?.kind !== "item") || inner.target.kind !== "name") return undefined
  const key = inner.kind === "attribute" ? inner.name : inner.key.kind === "const" ? inner.key.value : undefined
  return key === undefined ? undefined : { name: inner.target.name, key }
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
  const aliases = new Map<string, Array<string>>()
  for (const statement of statements) {
    const subject = statement.kind === "set" ? subjectOf(statement.value) : undefined
    const alias = statement.kind === "set" ? nameOf(statement.target) : undefined
    if (subject === undefined || subject.key !== undefined || alias === undefined) continue
    const known = aliases.get(subject.name)
    if (known === undefined) aliases.set(subject.name, [alias])
    else known.push(alias)
  }
  const names = new Set(["messages"])
  // A set grows while it is gone through, and each name is visited once.
  for (const name of names) for (const alias of aliases.get(name) ?? []) names.add(alias)
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
  /** The names that the loops give the items of what `reads` is true of. */
  const itemsOf = (reads: (subject: Subject) => boolean) =>
    loops.flatMap(({ items, target }) => {
      const subject = subjectOf(items)
      return subject !== undefined && reads(subject) ? (nameOf(target) ?? []) : []
    })
  const known = namesOfMessages(statements)
  const messages = new Set(itemsOf(({ name, key }) => key === undefined && known.has(name)))
  const isContent = ({ name, key }: Subject) => key === "content" && messages.has(name)
  if (itemsOf(isContent).length === 0) return "string"
  const asks = (node: Expression) => {
    const subject = node.kind === "test" && node.name === "string" ? subjectOf(node.target) : undefined
    return subject !== undefined && isContent(subject)
  }
  return some(body, asks) ? "either" : "openai"
}
