import type { For, Node, Program, Token } from "./library.ts"

/** A tag of the source: `{{ … }}`, `{% … %}` or `{# … #}`. */
export interface Tag {
  /** Where it begins, from 1. */
  readonly line: number
  /** The first word of a statement. */
  readonly word: string | undefined
}

const quoted = `'(?:[^'\\\\]|\\\\[^])*'|"(?:[^"\\\\]|\\\\[^])*"`
const whole = new RegExp(
  `\\{#[^]*?#\\}|\\{%[-+]?\\s*(\\w*)(?:${quoted}|[^'"])*?%\\}|\\{\\{(?:${quoted}|[^'"])*?\\}\\}`,
  "y"
)

/** The tags of a source in their order; one that is not closed is the last. */
export const tagsIn = (source: string): ReadonlyArray<Tag> => {
  const tags: Array<Tag> = []
  const open = /\{[{%#]/g
  let line = 1
  let at = 0
  for (let found = open.exec(source); found !== null; found = open.exec(source)) {
    for (; at < found.index; at++) if (source[at] === "\n") line++
    whole.lastIndex = at
    const tag = whole.exec(source)
    // The lexer takes these away before it reads.
    if (tag?.[1] !== "generation" && tag?.[1] !== "endgeneration") tags.push({ line, word: tag?.[1] })
    if (tag === null) return tags
    open.lastIndex = whole.lastIndex
  }
  return tags
}

const opening: ReadonlySet<string> = new Set(["OpenStatement", "OpenExpression", "Comment"])

/** The tag in which a token stands, by its place among the tokens. */
export const tagAt = (tokens: ReadonlyArray<Token>, tags: ReadonlyArray<Tag>, place: number): Tag | undefined =>
  tags[tokens.slice(0, place + 1).filter(({ type }) => opening.has(type)).length - 1]

type Block = Node & {
  readonly body: ReadonlyArray<Node>
  readonly alternate: ReadonlyArray<Node>
  readonly value?: Node
}

/**
 * The lines at which statements and printed expressions begin. The library's tree tells none: its nodes are gone through in
 * step with the source's tags. Empty when the two do not fit.
 */
export const linesOf = (
  program: Program,
  tokens: ReadonlyArray<Token>,
  tags: ReadonlyArray<Tag>
): ReadonlyMap<Node, number> => {
  const lines = new Map<Node, number>()
  const units = tokens.filter(({ type }) => type === "Text" || opening.has(type)).map(({ type }) => type === "Text")
  if (units.filter((isText) => !isText).length !== tags.length) return lines
  let unit = 0
  let tag = 0
  const take = () => {
    if (units[unit++]) return undefined
    return tags[tag++]
  }
  const takeIf = (word: string) => (!units[unit] && tags[tag]?.word === word ? take() : undefined)
  const walk = (nodes: ReadonlyArray<Node>): void => {
    for (const node of nodes) {
      const own = take()
      if (own === undefined) continue
      lines.set(node, own.line)
      if (goInto(node as Block)) take()
    }
  }
  /** Whether the node is closed by a tag of its own. */
  const goInto = (node: Block): boolean => {
    if (node.type === "Set" && node.value) return false
    if (!Array.isArray(node.body)) return false
    walk(node.body)
    const elif = node.type === "If" ? takeIf("elif") : undefined
    const [next] = node.alternate ?? []
    if (elif !== undefined && next !== undefined) {
      lines.set(next, elif.line)
      return goInto(next as Block)
    }
    if ((node.type === "If" || node.type === "For") && takeIf("else"))
      walk(node.type === "If" ? node.alternate : (node as unknown as For).defaultBlock)
    return true
  }
  walk(program.body)
  return lines
}
