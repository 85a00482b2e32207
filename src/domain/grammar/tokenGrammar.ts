import { orInto } from "./bits.ts"
import type { TokenConstraint } from "./constraint.ts"
import { GrammarFault } from "./fault.ts"
import { type EndTokens, GrammarConstraint } from "./grammarConstraint.ts"
import { addLocal, type LocalMask, localMask, walkTree, withoutRepeats } from "./localMask.ts"
import { Arena, type State } from "./machine/arena.ts"
import type { Config, Stack } from "./machine/calls.ts"
import type { Network, Node, Place } from "./machine/network.ts"
import type { TokenTree } from "./vocabulary.ts"

/** Local masks by the name of their place. */
export type LocalMasks = Map<string, LocalMask>

/** States of an arena, after which new requests begin a new one; masks of states kept in it; local masks kept. */
const mostStates = 20_000
const mostMasks = 64
const mostLocals = 1024
/** Configurations that the tokens of one place may cost. */
const mostWork = 4_000_000
/** Ends inside of tokens, past which a state's tokens are found by themselves. */
const mostResumes = 2000
/** Bytes that may follow, from which a place's tokens are found out beforehand. */
const wide = 48

/** A network over a vocabulary. Shared by requests; what it learns, it keeps. */
export class TokenGrammar {
  private arena = new Arena(false)
  private passing = new Arena(true)
  private masked: Array<State> = []
  private readonly own: LocalMasks = new Map()

  /** `shared` holds what is known of rules that are the same in every grammar. */
  constructor(
    private readonly network: Network,
    readonly tree: TokenTree,
    private readonly shared: LocalMasks
  ) {}

  start(ends: EndTokens): TokenConstraint {
    if (this.arena.size + this.passing.size > mostStates) {
      this.arena = new Arena(false)
      this.passing = new Arena(true)
      this.masked = []
    }
    return new GrammarConstraint(this, this.arena, this.arena.begin(this.network.root), this.endIds(ends))
  }

  private endIds({ eosTokenIds, stopTokenIds, ignoreEos }: EndTokens): ReadonlySet<number> {
    const silent = [...stopTokenIds].filter((id) => this.tree.bytesOf(id) === undefined)
    return new Set(ignoreEos ? silent : [...eosTokenIds, ...silent])
  }

  /** Finds out beforehand what would cost much while a request runs. Yields before each piece of work. */
  *warm(): Generator<void, void> {
    const widths = new Map<Node, number>()
    for (const node of this.network.nodes)
      if (widthOf(node, widths) >= wide)
        for (const place of placesToWarm(node)) {
          yield
          this.local([place])
        }
  }

  /** Sets the bits of what may follow a state. A state that is asked for again keeps its mask. */
  addMask(arena: Arena, state: State, out: Uint32Array): void {
    if (state.mask !== undefined) {
      orInto(out, state.mask)
      return
    }
    if (!state.asked) {
      state.asked = true
      this.addFresh(arena, state, out)
      return
    }
    const mask = new Uint32Array(this.tree.words)
    this.addFresh(arena, state, mask)
    orInto(out, mask)
    state.mask = mask
    this.masked.push(state)
    if (this.masked.length > mostMasks) this.masked.shift()!.mask = undefined
  }

  /** Each place by itself, then on with those who wait where its rule ends; where it ends in too many tokens, all at once. */
  private addFresh(arena: Arena, state: State, out: Uint32Array): void {
    for (const config of state.kernel) {
      const { local, stack } = this.farEnough(config)
      addLocal(out, local)
      if (stack.frames.length === 0 || !(local.ends || local.resume.length > 0)) continue
      if (local.resume.length > mostResumes) {
        walkTree(this.tree, this.passing, this.passing.adopt(state), 0, out)
        return
      }
      const back = arena.back(stack)
      if (local.ends) this.addMask(arena, back, out)
      if (local.resume.length === 0) continue
      const passing = this.passing.adopt(back)
      for (const node of local.resume) walkTree(this.tree, this.passing, passing, node, out)
    }
  }

  /** A place with as many of those who wait for it as it takes for few tokens to outlive them; and who waits for these. */
  private farEnough({ place, stack }: Config): { readonly local: LocalMask; readonly stack: Stack } {
    const chain = [place]
    let local = this.local(chain)
    while (local.resume.length > mostResumes && place.keys === undefined) {
      const [frame, other] = stack.frames
      if (frame === undefined || other !== undefined || stack.bottom || frame.back.keys !== undefined) break
      chain.push(frame.back)
      stack = frame.stack
      local = this.local(chain)
    }
    return { local, stack }
  }

  private local(chain: ReadonlyArray<Place>): LocalMask {
    const { node, keys } = chain[0]!
    if (keys !== undefined) return withoutRepeats(this.tree, chain[0]!, this.local([node.twin!.at(0)]))
    const key = chain.map((place) => this.nameOf(place)).join(" ")
    const cache = chain.every((place) => place.node.name.startsWith("$")) ? this.shared : this.own
    const known = cache.get(key)
    if (known !== undefined) return known
    const made = localMask(this.tree, chain)
    if (made.work > mostWork) throw tooAmbiguous(key)
    if (cache.size >= mostLocals) cache.delete(cache.keys().next().value!)
    cache.set(key, made)
    return made
  }

  private nameOf(place: Place): string {
    const { name, loop } = place.node
    return loop === undefined ? name : `${name}@${this.roundsLeft(place)}`
  }

  /** No token has more rounds than bytes: past that many, counts are alike. */
  private roundsLeft({ node, count }: Place): string {
    const { min, max } = node.loop!
    const most = this.tree.longest + 1
    return `${Math.min(most, Math.max(0, min - count))},${max === Number.POSITIVE_INFINITY ? "any" : Math.min(most, max - count)}`
  }
}

const placesToWarm = (node: Node): ReadonlyArray<Place> => {
  if (node.twin !== undefined) return [node.twin.at(0)]
  return node.loop === undefined ? [node.at(0)] : [node.at(0), node.at(node.loop.min)]
}

/** How many bytes may follow a node, those of the rules that it calls included; an estimate, for some may count twice. */
const widthOf = (node: Node, known: Map<Node, number>): number => {
  const width = known.get(node)
  if (width !== undefined) return width
  const calls = node.loop === undefined ? node.calls.map(({ rule }) => rule) : [node.loop.body]
  let sum = 0
  for (const { low, high } of node.edges) sum += high - low + 1
  for (const { entry } of calls) sum += widthOf(entry, known)
  known.set(node, sum)
  return sum
}

const tooAmbiguous = (place: string) =>
  new GrammarFault(
    "",
    `a pattern that may be read in too many ways (at ${place})`,
    "one that says at each character which part of it the character belongs to",
    "Take apart alternatives and repetitions that match the same texts."
  )
