import { clearBit, orInto, setBit } from "./bits.ts"
import type { TokenConstraint } from "./constraint.ts"
import { GrammarFault } from "./fault.ts"
import { addLocal, type LocalMask, localMask, walkTree, withoutRepeats } from "./localMask.ts"
import { Arena, type State } from "./machine/arena.ts"
import type { Network, Node, Place } from "./machine/network.ts"
import type { TokenTree } from "./vocabulary.ts"

/** Local masks by the name of their place. */
export type LocalMasks = Map<string, LocalMask>

/** Tokens that end an output. */
export interface EndTokens {
  readonly eosTokenIds: ReadonlySet<number>
  readonly stopTokenIds: ReadonlySet<number>
  readonly ignoreEos: boolean
}

/** States of an arena, after which new requests begin a new one; masks of states kept in it; shared local masks kept. */
const mostStates = 20_000
const mostMasks = 64
const mostShared = 512
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
          this.local(place)
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
    for (const { place, stack } of state.kernel) {
      const local = this.local(place)
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

  private local(place: Place): LocalMask {
    const { node, count } = place
    if (place.keys !== undefined) return withoutRepeats(this.tree, place, this.local(node.twin!.at(0)))
    const key = node.loop === undefined ? node.name : `${node.name}@${this.roundsLeft(place)}`
    const cache = node.name.startsWith("$") ? this.shared : this.own
    const known = cache.get(key)
    if (known !== undefined) return known
    const made = localMask(this.tree, place)
    if (made.work > mostWork) throw tooAmbiguous(node.name, count)
    if (cache.size >= mostShared && cache === this.shared) cache.delete(cache.keys().next().value!)
    cache.set(key, made)
    return made
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

const tooAmbiguous = (name: string, count: number) =>
  new GrammarFault(
    "",
    `a pattern that may be read in too many ways (at ${name}, round ${count})`,
    "one that says at each character which part of it the character belongs to",
    "Take apart alternatives and repetitions that match the same texts."
  )

/** One output on its way through a grammar. */
class GrammarConstraint implements TokenConstraint {
  private ended = false

  constructor(
    private readonly grammar: TokenGrammar,
    private readonly arena: Arena,
    private state: State,
    private readonly endIds: ReadonlySet<number>
  ) {}

  get words(): number {
    return this.grammar.tree.words
  }

  get finished(): boolean {
    return this.ended || (this.state.accept && this.state.front.length === 0)
  }

  fillMask(out: Uint32Array, offset: number): void {
    const { words } = this
    const row = out.subarray(offset, offset + words)
    row.fill(0)
    if (!this.finished) this.grammar.addMask(this.arena, this.state, row)
    const mayEnd = this.ended || this.state.accept
    for (const id of this.endIds) {
      if (id >>> 5 >= words) continue
      if (mayEnd) setBit(row, id)
      else clearBit(row, id)
    }
  }

  accept(tokenId: number): void {
    if (this.endIds.has(tokenId)) {
      if (!this.state.accept) throw forbidden(tokenId)
      this.ended = true
      return
    }
    const bytes = this.ended ? undefined : this.grammar.tree.bytesOf(tokenId)
    if (bytes === undefined || bytes.length === 0) throw forbidden(tokenId)
    let state = this.state
    for (const byte of bytes) {
      const next = this.arena.step(state, byte)
      if (next === null) throw forbidden(tokenId)
      state = next
    }
    this.state = state
  }

  fork(): TokenConstraint {
    const fork = new GrammarConstraint(this.grammar, this.arena, this.state, this.endIds)
    fork.ended = this.ended
    return fork
  }
}

const forbidden = (tokenId: number) => new Error(`Token ${tokenId} is none that the constraint's mask allows here.`)
