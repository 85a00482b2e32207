import { type ByteSequence, type Ranges, utf8Sequences } from "../charset.ts"
import type { Expr, Grammar } from "../expr.ts"
import { GrammarFault } from "../fault.ts"
import { drawMembers } from "./members.ts"

/** A node while its rule is drawn: with empty steps and rules by name. */
export interface Draft {
  readonly number: number
  readonly empty: Array<Draft>
  readonly edges: Array<{ low: number; high: number; to: Draft; does?: "collect" | "seal" }>
  readonly calls: Array<{ rule: string; back: Draft }>
  twin?: Draft
}

export interface RuleDraft {
  readonly name: string
  readonly nodes: Array<Draft>
  readonly entry: Draft
  readonly exit: Draft
  readonly loop?: { readonly body: string; readonly min: number; readonly max: number }
  readonly taken?: ReadonlyArray<string>
}

/** Nodes of a grammar, and characters that its counted loops stand for, at most. */
const mostNodes = 400_000
const mostRounds = 100_000

const utf8 = new TextEncoder()
const literalBytes = (text: string): ByteSequence => [...utf8.encode(text)].map((byte) => [byte, byte] as const)

/** Draws rules: expressions become nodes and edges; a counted loop and its body become rules of their own. */
export class Builder {
  readonly drafts = new Map<string, RuleDraft>()
  private nodes = 0

  constructor(private readonly grammar: Grammar) {}

  all(): ReadonlyMap<string, RuleDraft> {
    for (const [name, expr] of this.grammar.rules) this.rule(name, expr, 1)
    return this.drafts
  }

  open(name: string, more: Partial<RuleDraft> = {}): RuleDraft {
    const nodes: Array<Draft> = []
    const draft = { name, nodes, entry: this.node(nodes), exit: this.node(nodes), ...more }
    this.drafts.set(name, draft)
    return draft
  }

  node(nodes: Array<Draft>): Draft {
    if (++this.nodes > mostNodes) throw tooLarge(`more than ${mostNodes} states`)
    const made: Draft = { number: nodes.length, empty: [], edges: [], calls: [] }
    nodes.push(made)
    return made
  }

  private rule(name: string, expr: Expr, rounds: number) {
    if (expr.kind === "members") {
      drawMembers(this, name, expr.members)
      return
    }
    const rule = this.open(name)
    this.draw(rule, expr, rule.entry, rule.exit, rounds)
  }

  private draw(rule: RuleDraft, expr: Expr, from: Draft, to: Draft, rounds: number): void {
    switch (expr.kind) {
      case "text":
        this.bytes(rule, literalBytes(expr.text), from, to, new Map())
        return
      case "chars":
        this.chars(rule, expr.ranges, from, to)
        return
      case "seq": {
        const last = expr.items.length - 1
        if (last < 0) from.empty.push(to)
        expr.items.reduce((at, item, i) => {
          const next = i === last ? to : this.node(rule.nodes)
          this.draw(rule, item, at, next, rounds)
          return next
        }, from)
        return
      }
      case "alt":
        for (const item of expr.items) this.draw(rule, item, from, to, rounds)
        return
      case "ref":
        from.calls.push({ rule: expr.rule, back: to })
        return
      case "repeat":
        this.repeat(rule, expr, from, to, rounds)
        return
      case "members": {
        const name = `${rule.name}/${rule.nodes.length}`
        drawMembers(this, name, expr.members)
        from.calls.push({ rule: name, back: to })
      }
    }
  }

  /** One character of the set, with what each of its bytes does. */
  chars(rule: RuleDraft, ranges: Ranges, from: Draft, to: Draft, does?: "collect"): void {
    const shared = new Map<string, Draft>()
    for (const sequence of utf8Sequences(ranges)) this.bytes(rule, sequence, from, to, shared, does)
  }

  /** Sequences that end alike share their last nodes. */
  private bytes(
    rule: RuleDraft,
    sequence: ByteSequence,
    from: Draft,
    to: Draft,
    shared: Map<string, Draft>,
    does?: "collect"
  ) {
    let at = from
    for (let i = 0; i < sequence.length; i++) {
      const [low, high] = sequence[i]!
      const rest = sequence.slice(i + 1).join()
      const drawn = rest === "" ? to : shared.get(rest)
      const next = drawn ?? this.node(rule.nodes)
      at.edges.push({ low, high, to: next, ...(does && { does }) })
      if (drawn !== undefined) return
      shared.set(rest, next)
      at = next
    }
    from.empty.push(to)
  }

  private repeat(rule: RuleDraft, expr: Expr & { kind: "repeat" }, from: Draft, to: Draft, rounds: number) {
    const { body, min, max } = expr
    if (max === 1) {
      if (min === 0) from.empty.push(to)
      this.draw(rule, body, from, to, rounds)
      return
    }
    if (max === Number.POSITIVE_INFINITY && min <= 1) {
      const [start, end] = [this.node(rule.nodes), this.node(rule.nodes)]
      from.empty.push(start)
      this.draw(rule, body, start, end, rounds)
      end.empty.push(start, to)
      if (min === 0) from.empty.push(to)
      return
    }
    const most = rounds * (max === Number.POSITIVE_INFINITY ? min : max)
    if (most > mostRounds) throw tooLarge(`counted repetitions that multiply to ${most}`)
    const name = `${rule.name}/${rule.nodes.length}`
    // The node that the name is taken from is used, so that no two loops of a rule share it.
    this.node(rule.nodes)
    const inner = body.kind === "ref" ? body.rule : `${name}b`
    this.open(name, { loop: { body: inner, min, max } })
    if (body.kind !== "ref") this.rule(inner, body, most)
    from.calls.push({ rule: name, back: to })
  }
}

const tooLarge = (what: string) =>
  new GrammarFault("", what, `at most ${mostNodes} states and ${mostRounds} counted repetitions`, "Make it smaller.")
