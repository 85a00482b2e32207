import type { KeyState } from "./keys.ts"

/** Bytes from `low` to `high` lead to `to`. What an edge does to the keys of an object: adds its byte to one, or ends it. */
export interface Edge {
  readonly low: number
  readonly high: number
  readonly to: Node
  readonly does: "collect" | "seal" | undefined
}

export interface Call {
  readonly rule: Rule
  /** Where the caller goes on. */
  readonly back: Node
}

/** A counted loop: `body` over and over. */
export interface Loop {
  readonly body: Rule
  readonly min: number
  readonly max: number
}

/** Between two bytes of a rule. Empty steps are gone: what they lead to is here. */
export class Node {
  readonly edges: Array<Edge> = []
  readonly calls: Array<Call> = []
  /** The rule may end here. */
  accept = false
  loop: Loop | undefined
  /** In a rule of members: the node that allows the same while no key is forbidden. */
  twin: Node | undefined
  private readonly places: Array<Place> = []

  /** `name` says where it stands: rule and number, the same in every grammar when the rule begins with "$". */
  constructor(readonly name: string) {}

  /** The place of this node in round `count` of its loop; outside loops there is round 0 only. */
  at(count: number): Place {
    const known = this.places[count]
    if (known !== undefined) return known
    const made = new Place(this, count, undefined)
    this.places[count] = made
    return made
  }
}

let places = 0

/** A node with what it remembers: rounds of its loop, or keys of its object. Equal ones are the same object. */
export class Place {
  readonly id = places++
  /** The rule may end here. */
  readonly accept: boolean
  /** The rule can only end here. */
  readonly tail: boolean

  constructor(
    readonly node: Node,
    readonly count: number,
    readonly keys: KeyState | undefined
  ) {
    const { loop } = node
    this.accept = loop === undefined ? node.accept : count >= loop.min
    const calls = loop === undefined ? node.calls.length > 0 : count < loop.max
    this.tail = this.accept && !calls && node.edges.length === 0
  }

  /** The same for the length of one token: see Rests. */
  get passing(): Place {
    return this.keys === undefined ? this : this.keys.rests.at(this.node)
  }

  /** The rules that may begin here, with the place that each comes back to. */
  eachCall(visit: (rule: Rule, back: Place) => void): void {
    const { loop, calls } = this.node
    if (loop !== undefined) {
      // Past the least number of rounds of an endless loop, rounds are no longer told apart.
      if (this.count >= loop.max) return
      const next = loop.max === Number.POSITIVE_INFINITY ? Math.min(this.count + 1, loop.min) : this.count + 1
      visit(loop.body, this.node.at(next))
    } else for (const { rule, back } of calls) visit(rule, this.keys === undefined ? back.at(0) : this.keys.at(back))
  }

  /** Where an edge leads; undefined when it would end a key that is taken. */
  follow(edge: Edge, byte: number): Place | undefined {
    if (this.keys === undefined) return edge.to.at(0)
    if (edge.does === "collect") return this.keys.push(byte).at(edge.to)
    return edge.does === "seal" ? this.keys.seal()?.at(edge.to) : this.keys.at(edge.to)
  }
}

export class Rule {
  nullable = false
  /** Callers come before those whom they call with no byte between. */
  rank = 0
  /** In a rule of members: keys that are taken from the beginning. */
  taken: ReadonlyArray<string> | undefined

  constructor(
    readonly name: string,
    readonly entry: Node
  ) {}
}

/** A grammar made ready to run. */
export interface Network {
  readonly root: Rule
  readonly nodes: ReadonlyArray<Node>
}
