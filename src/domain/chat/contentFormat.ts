import type { For, Identifier, Member, Node, Select, Test } from "./jinja/library.ts"
import { nodesIn } from "./jinja/nodes.ts"
import type { Template } from "./jinja/template.ts"

/**
 * How a template wants a message's content: as one text, or as a list of parts as in OpenAI's API. `either`: it asks which of
 * the two it has, so a text stays a text.
 */
export type ContentFormat = "string" | "openai" | "either"

/** What an expression reads, `x[1:]` and `x | reject(…)` as `x`: a name, or one key of it. */
interface Subject {
  readonly name: string
  readonly key?: string
}

/** What a part of an expression's value is taken from: `x` in `x[1:]`, `x | reject(…)`, `x if …`. */
const sourceOf = (node: Node): Node | undefined => {
  if (node.type === "FilterExpression" || node.type === "TestExpression") return (node as Test).operand
  if (node.type === "SelectExpression") return (node as Select).lhs
  return node.type === "MemberExpression" && (node as Member).property.type === "SliceExpression"
    ? (node as Member).object
    : undefined
}

const nameOf = (node: Node): string | undefined => (node.type === "Identifier" ? (node as Identifier).value : undefined)

const subjectOf = (node: Node): Subject | undefined => {
  let inner = node
  for (let source = sourceOf(inner); source !== undefined; source = sourceOf(inner)) inner = source
  const whole = nameOf(inner)
  if (whole !== undefined) return { name: whole }
  if (inner.type !== "MemberExpression") return undefined
  const { object, property, computed } = inner as Member
  const name = nameOf(object)
  const isKey = property.type === (computed ? "StringLiteral" : "Identifier")
  return name === undefined || !isKey ? undefined : { name, key: (property as Identifier).value }
}

type Assignment = Node & { readonly assignee: Node; readonly value: Node | null }

/** `messages`, and the names that a template gives it or a part of it. */
const namesOfMessages = (nodes: ReadonlyArray<Node>): ReadonlySet<string> => {
  const aliases = new Map<string, Array<string>>()
  for (const { assignee, value } of nodes.filter((node): node is Assignment => node.type === "Set")) {
    const subject = value === null ? undefined : subjectOf(value)
    const alias = nameOf(assignee)
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

/**
 * A template that goes through the content of the messages it goes through wants parts; any other a text. As vLLM tells, but
 * that a template which asks whether a content is a text gets those as they are: it may do so for some roles only.
 */
export const contentFormatOf = ({ program }: Template): ContentFormat => {
  const nodes = nodesIn(program)
  const loops = nodes.filter((node): node is For => node.type === "For")
  /** The names that the loops give the items of what `reads` is true of. */
  const itemsOf = (reads: (subject: Subject) => boolean) =>
    loops.flatMap(({ iterable, loopvar }) => {
      const subject = subjectOf(iterable)
      return subject !== undefined && reads(subject) ? (nameOf(loopvar) ?? []) : []
    })
  const known = namesOfMessages(nodes)
  const messages = new Set(itemsOf(({ name, key }) => key === undefined && known.has(name)))
  const isContent = ({ name, key }: Subject) => key === "content" && messages.has(name)
  if (itemsOf(isContent).length === 0) return "string"
  const asks = (node: Node) => {
    const isTest = node.type === "TestExpression" && (node as Test).test.value === "string"
    const subject = isTest ? subjectOf((node as Test).operand) : undefined
    return subject !== undefined && isContent(subject)
  }
  return nodes.some(asks) ? "either" : "openai"
}
