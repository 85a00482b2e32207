import { Calls, type Config, Configs, type Frame, type Stack } from "./calls.ts"
import { Keys } from "./keys.ts"
import type { Place, Rule } from "./network.ts"

/** All that the text so far may be. */
export interface State {
  /** Where the last byte led. */
  readonly kernel: ReadonlyArray<Config>
  /** The text may end here. */
  readonly accept: boolean
  /** The kernel, those it came back to, and the beginnings of the rules called: those of them that a byte leads on from. */
  readonly front: ReadonlyArray<Config>
  /** By byte: the state it leads to, null where it may not stand; holes where nobody has looked. */
  readonly next: Array<State | null | undefined>
  /** The same in an arena that follows texts, not tokens: few bytes are asked for there, and states are many. */
  readonly links: Map<number, State | null>
  /** Tokens that may follow; kept from the second time on that somebody asks. */
  mask: Uint32Array | undefined
  asked: boolean
}

/** States and stacks of one network: made when first asked for, kept while the arena is. */
export class Arena {
  /** Configurations looked at: what has been spent here. */
  work = 0
  /** States made: what is remembered here. */
  size = 0
  private readonly single = new Map<Stack, Map<Place, State>>()
  private readonly stacks = new Map<string, Stack>()
  private readonly states = new Map<string, State>()
  private readonly keys = new Map<Rule, Keys>()

  /** `passing`: states are asked for the length of a token only, and need not know the keys that are written meanwhile. */
  constructor(private readonly passing: boolean) {}

  begin(root: Rule): State {
    return this.at(this.entry(root), ground)
  }

  /** Where a rule begins. An object's keys are remembered here: they grow with every text. */
  entry(rule: Rule): Place {
    if (rule.taken === undefined) return rule.entry.at(0)
    let keys = this.keys.get(rule)
    if (keys === undefined) {
      keys = Keys.fresh(rule.taken)
      this.keys.set(rule, keys)
    }
    return (this.passing ? keys.rests : keys).at(rule.entry)
  }

  at(place: Place, stack: Stack): State {
    return this.settle([{ place, stack }], false)
  }

  /** What a rule that has ended here comes back to. */
  back(stack: Stack): State {
    return this.settle(
      stack.frames.map((frame) => ({ place: frame.back, stack: frame.stack })),
      stack.bottom
    )
  }

  /** Another arena's state in this one. */
  adopt({ kernel, accept }: State): State {
    return this.settle(kernel, accept)
  }

  step(state: State, byte: number): State | null {
    const known = this.passing ? state.next[byte] : state.links.get(byte)
    if (known !== undefined) return known
    const kernel: Array<Config> = []
    for (const { place, stack } of state.front)
      for (const edge of place.node.edges) {
        if (byte < edge.low || byte > edge.high) continue
        const to = place.follow(edge, byte)
        if (to !== undefined) kernel.push({ place: to, stack })
      }
    this.work += state.front.length
    const made = kernel.length === 0 ? null : this.settle(kernel, false)
    if (this.passing) state.next[byte] = made
    else state.links.set(byte, made)
    return made
  }

  /** The state of a kernel. Rules that can only end have ended. */
  private settle(given: ReadonlyArray<Config>, atEnd: boolean): State {
    const kernel: Array<Config> = []
    let accept = atEnd
    const seen = new Map<Place, Set<Stack>>()
    const add = (place: Place, stack: Stack) => {
      const stacks = seen.get(place)
      if (stacks?.has(stack)) return
      if (stacks === undefined) seen.set(place, new Set([stack]))
      else stacks.add(stack)
      if (!place.tail) {
        kernel.push({ place, stack })
        return
      }
      accept ||= stack.bottom
      for (const frame of stack.frames) add(this.seen(frame.back), frame.stack)
    }
    for (const { place, stack } of given) add(this.seen(place), stack)
    if (kernel.length === 1 && !accept) {
      const { place, stack } = kernel[0]!
      let states = this.single.get(stack)
      if (states === undefined) {
        states = new Map()
        this.single.set(stack, states)
      }
      const known = states.get(place)
      if (known !== undefined) return known
      const made = this.close(kernel, accept)
      states.set(place, made)
      return made
    }
    const key = keyOf(kernel, accept)
    const known = this.states.get(key)
    if (known !== undefined) return known
    const made = this.close(kernel, accept)
    this.states.set(key, made)
    return made
  }

  /** First whoever may end goes back to its callers, as deep as that leads; then rules are called, callers before the called. */
  private close(kernel: ReadonlyArray<Config>, atEnd: boolean): State {
    const all = new Configs()
    let accept = atEnd
    for (const { place, stack } of kernel) all.add(place, stack)
    for (let i = 0; i < all.list.length; i++) {
      const { place, stack } = all.list[i]!
      if (!place.accept) continue
      accept ||= stack.bottom
      for (const frame of stack.frames) all.add(this.seen(frame.back), frame.stack)
    }
    const calls = new Calls(this)
    for (const config of all.list) calls.from(config)
    for (let called = calls.take(); called !== undefined; called = calls.take()) {
      all.add(called.place, called.stack)
      calls.from(called)
    }
    this.work += all.list.length
    this.size++
    const front = all.list.filter(({ place }) => place.node.edges.length > 0)
    return { kernel, accept, front, next: [], links: new Map(), mask: undefined, asked: false }
  }

  /** A place as this arena sees it. */
  private seen(place: Place): Place {
    return this.passing ? place.passing : place
  }

  frame(back: Place, stack: Stack): Frame {
    const known = stack.framesOf.get(back)
    if (known !== undefined) return known
    const made = { id: ids++, back, stack }
    stack.framesOf.set(back, made)
    return made
  }

  stack(frames: ReadonlySet<Frame>, bottom: boolean): Stack {
    const sorted = [...frames].sort((a, b) => a.id - b.id)
    const key = `${bottom ? "." : ""}${sorted.map(({ id }) => id).join()}`
    const known = this.stacks.get(key)
    if (known !== undefined) return known
    const made = makeStack(sorted, bottom)
    this.stacks.set(key, made)
    return made
  }
}

/** Frames and stacks are told apart wherever they were made: those of one arena may stand in another's. */
let ids = 0

const makeStack = (frames: ReadonlyArray<Frame>, bottom: boolean): Stack => ({
  id: ids++,
  frames,
  bottom,
  framesOf: new WeakMap()
})

/** Below the root: the text ends when the rule on it does. */
export const ground: Stack = makeStack([], true)

const keyOf = (kernel: ReadonlyArray<Config>, accept: boolean): string =>
  `${accept ? "." : ""}${kernel
    .map(({ place, stack }) => `${place.id}:${stack.id}`)
    .sort()
    .join()}`
