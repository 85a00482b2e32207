import type { Place, Rule } from "./network.ts"

/** Whom a rule comes back to. */
export interface Frame {
  readonly id: number
  readonly back: Place
  readonly stack: Stack
}

/**
 * Everybody who waits for a rule that began at one point of the text: the frames of all its callers, merged, so that ambiguity
 * costs no more than there are points. Never changed, shared by all states that stand on it.
 */
export interface Stack {
  readonly id: number
  readonly frames: ReadonlyArray<Frame>
  /** The text may end when the rule does. */
  readonly bottom: boolean
  readonly framesOf: WeakMap<Place, Frame>
}

/** A place with those who wait for its rule. */
export interface Config {
  readonly place: Place
  readonly stack: Stack
}

/** What calls are made with. */
interface Maker {
  readonly entry: (rule: Rule) => Place
  readonly frame: (back: Place, stack: Stack) => Frame
  readonly stack: (frames: ReadonlySet<Frame>, bottom: boolean) => Stack
}

/** A set of configurations in the order of their arrival. */
export class Configs {
  readonly list: Array<Config> = []
  private readonly seen = new Map<Place, Set<Stack>>()

  add(place: Place, stack: Stack): void {
    let stacks = this.seen.get(place)
    if (stacks === undefined) {
      stacks = new Set()
      this.seen.set(place, stacks)
    }
    if (stacks.has(stack)) return
    stacks.add(stack)
    this.list.push({ place, stack })
  }
}

/** The calls of one point of the text: all callers of a rule are gathered before it begins, once. */
export class Calls {
  private readonly open = new Map<Rule, { readonly frames: Set<Frame>; bottom: boolean }>()

  constructor(private readonly arena: Maker) {}

  from({ place, stack }: Config): void {
    place.eachCall((rule, back) => {
      let call = this.open.get(rule)
      if (call === undefined) {
        call = { frames: new Set(), bottom: false }
        this.open.set(rule, call)
      }
      // A caller with nothing left to do is passed over: who waits for it waits for the rule.
      if (back.tail) {
        call.bottom ||= stack.bottom
        for (const frame of stack.frames) call.frames.add(frame)
      } else call.frames.add(this.arena.frame(back, stack))
    })
  }

  take(): Config | undefined {
    let first: Rule | undefined
    for (const rule of this.open.keys()) if (first === undefined || rule.rank < first.rank) first = rule
    if (first === undefined) return undefined
    const { frames, bottom } = this.open.get(first)!
    this.open.delete(first)
    return { place: this.arena.entry(first), stack: this.arena.stack(frames, bottom) }
  }
}
