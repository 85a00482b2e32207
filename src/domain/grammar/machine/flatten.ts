import type { Grammar } from "../expr.ts"
import { GrammarFault } from "../fault.ts"
import { Builder, type Draft, type RuleDraft } from "./build.ts"
import { type Network, Node, Rule } from "./network.ts"

/** Nodes that empty steps lead to; calls of rules that may be empty are steps too. */
const reach = (from: Draft, nullable: ReadonlySet<string>): Set<Draft> => {
  const seen = new Set([from])
  for (const at of seen) {
    for (const next of at.empty) seen.add(next)
    for (const { rule, back } of at.calls) if (nullable.has(rule)) seen.add(back)
  }
  return seen
}

const nullableRules = (drafts: ReadonlyMap<string, RuleDraft>): Set<string> => {
  const nullable = new Set<string>()
  const isNullable = ({ loop, entry, exit }: RuleDraft) =>
    loop === undefined ? reach(entry, nullable).has(exit) : loop.min === 0 || nullable.has(loop.body)
  for (let before = -1; nullable.size > before; ) {
    before = nullable.size
    for (const [name, rule] of drafts) if (!nullable.has(name) && isNullable(rule)) nullable.add(name)
  }
  return nullable
}

/** Ranks rules, callers first; a rule that calls itself before any byte is refused. */
const rank = (drafts: ReadonlyMap<string, RuleDraft>, nullable: ReadonlySet<string>, rules: Map<string, Rule>) => {
  const state = new Map<string, "open" | "done">()
  let next = 0
  const calledFirst = ({ loop, entry }: RuleDraft): Array<string> =>
    loop !== undefined ? [loop.body] : [...reach(entry, nullable)].flatMap(({ calls }) => calls.map(({ rule }) => rule))
  const visit = (name: string, path: ReadonlyArray<string>): void => {
    if (state.get(name) === "done") return
    if (state.get(name) === "open") throw leftRecursion([...path.slice(path.indexOf(name)), name])
    state.set(name, "open")
    for (const called of calledFirst(drafts.get(name)!)) visit(called, [...path, name])
    state.set(name, "done")
    rules.get(name)!.rank = -next++
  }
  for (const name of drafts.keys()) visit(name, [])
}

const leftRecursion = (cycle: ReadonlyArray<string>) =>
  new GrammarFault(
    "",
    `left recursion: ${cycle.filter((name) => !name.includes("/")).join(" -> ")}`,
    "rules that write something before they come back to themselves",
    "Turn `a ::= a b | c` into `a ::= c b*`."
  )

const fill = (node: Node, draft: Draft, rule: RuleDraft, nullable: ReadonlySet<string>, nodeOf: NodeOf) => {
  for (const at of reach(draft, nullable)) {
    if (at === rule.exit) node.accept = true
    for (const { low, high, to, does } of at.edges) node.edges.push({ low, high, to: nodeOf.node(to), does })
    for (const { rule: name, back } of at.calls) node.calls.push({ rule: nodeOf.rule(name), back: nodeOf.node(back) })
  }
  if (draft.twin !== undefined) node.twin = nodeOf.node(draft.twin)
}

interface NodeOf {
  readonly node: (draft: Draft) => Node
  readonly rule: (name: string) => Rule
}

/** A pruned grammar as a network without empty steps. */
export const makeNetwork = (grammar: Grammar): Network => {
  const drafts = new Builder(grammar).all()
  const nullable = nullableRules(drafts)
  const nodes = new Map<Draft, Node>()
  const rules = new Map<string, Rule>()
  for (const draft of drafts.values()) {
    for (const node of draft.nodes) nodes.set(node, new Node(`${draft.name}:${node.number}`))
    const rule = new Rule(draft.name, nodes.get(draft.entry)!)
    rule.nullable = nullable.has(draft.name)
    rule.taken = draft.taken
    rules.set(draft.name, rule)
  }
  const nodeOf: NodeOf = { node: (draft) => nodes.get(draft)!, rule: (name) => rules.get(name)! }
  for (const draft of drafts.values()) {
    if (draft.loop !== undefined) {
      const { body, min, max } = draft.loop
      nodeOf.node(draft.entry).loop = { body: nodeOf.rule(body), min: nullable.has(body) ? 0 : min, max }
    } else for (const node of draft.nodes) fill(nodeOf.node(node), node, draft, nullable, nodeOf)
  }
  rank(drafts, nullable, rules)
  return { root: nodeOf.rule(grammar.root), nodes: [...nodes.values()] }
}
