import { clearBit, fewBits, orInto, setBit } from "./bits.ts"
import { Arena, ground, type State } from "./machine/arena.ts"
import type { Node, Place } from "./machine/network.ts"
import type { TokenTree } from "./vocabulary.ts"

/**
 * What a place allows whoever waits for its rule: the tokens that do not outlive the rule, and where the rule may end inside of
 * a token, which then goes on with those who wait.
 */
export interface LocalMask {
  /** One of the two: the allowed tokens when they are few, or as a mask. Never changed. */
  readonly ids: Int32Array | undefined
  readonly mask: Uint32Array | undefined
  /** The rule may end before the token begins. */
  readonly ends: boolean
  /** Nodes of the tree, not leaves, at which the rule may have ended. */
  readonly resume: ReadonlyArray<number>
}

/**
 * Marks the tokens below tree node `from` that `start`, which stands at that node, allows; answers nodes with something below
 * them at which the text may end.
 */
export const walkTree = (
  tree: TokenTree,
  arena: Arena,
  start: State,
  from: number,
  mask: Uint32Array
): Array<number> => {
  const { byte, depth, skip, token, same } = tree
  const ended: Array<number> = []
  const states: Array<State> = []
  const base = depth[from]!
  states[0] = start
  const end = skip[from]!
  for (let n = from + 1; n < end; ) {
    const level = depth[n]! - base
    const state = states[level - 1]!
    const known = state.next[byte[n]!]
    const next = known === undefined ? arena.step(state, byte[n]!) : known
    if (next === null) {
      n = skip[n]!
      continue
    }
    const id = token[n]!
    if (id >= 0) {
      setBit(mask, id)
      if (same.size > 0) for (const other of same.get(id) ?? []) setBit(mask, other)
    }
    states[level] = next
    if (next.accept && skip[n]! > n + 1) ended.push(n)
    n = next.front.length === 0 ? skip[n]! : n + 1
  }
  return ended
}

/** `chain`: a place, then where its rule comes back to, and that one's rule, as far as they are to count as one. */
export const localMask = (tree: TokenTree, chain: ReadonlyArray<Place>): LocalMask & { readonly work: number } => {
  const arena = new Arena(true)
  const stack = chain
    .slice(1)
    .reduceRight((below, back) => arena.stack(new Set([arena.frame(back, below)]), false), ground)
  const start = arena.at(chain[0]!, stack)
  const mask = new Uint32Array(tree.words)
  const resume = walkTree(tree, arena, start, 0, mask)
  const ids = fewBits(mask, tree.words / 4)
  return { ids, mask: ids === undefined ? mask : undefined, ends: start.accept, resume, work: arena.work }
}

export const addLocal = (mask: Uint32Array, { ids, mask: more }: LocalMask): void => {
  if (more !== undefined) orInto(mask, more)
  else for (const id of ids!) setBit(mask, id)
}

/** The twin's mask without the tokens that would repeat a key of the place. */
export const withoutRepeats = (tree: TokenTree, place: Place, twin: LocalMask): LocalMask => {
  const rests = place.keys?.rests.texts ?? []
  if (rests.length === 0) return twin
  const ranges: Array<readonly [first: number, end: number]> = []
  repeats(tree, place.node, rests, 0, ranges)
  if (ranges.length === 0) return twin
  const mask = new Uint32Array(tree.words)
  addLocal(mask, twin)
  for (const [first, end] of ranges)
    for (let n = first; n < end; n++) {
      const id = tree.token[n]!
      if (id < 0) continue
      clearBit(mask, id)
      for (const other of tree.same.get(id) ?? []) clearBit(mask, other)
    }
  const resume = twin.resume.filter((n) => !ranges.some(([first, end]) => n >= first && n < end))
  return { ids: undefined, mask, ends: twin.ends, resume }
}

/** Subtrees whose tokens end a key that is taken. Follows nothing but the beginnings of such keys. */
const repeats = (
  tree: TokenTree,
  node: Node,
  rests: ReadonlyArray<string>,
  at: number,
  out: Array<readonly [first: number, end: number]>
): void => {
  for (let n = at + 1; n < tree.skip[at]!; n = tree.skip[n]!) {
    const byte = tree.byte[n]!
    for (const { low, high, to, does } of node.edges) {
      if (byte < low || byte > high) continue
      if (does === "seal") {
        if (rests.includes("")) out.push([n, tree.skip[n]!])
      } else if (does === undefined) repeats(tree, to, rests, n, out)
      else {
        const going = rests.filter((rest) => rest.charCodeAt(0) === byte).map((rest) => rest.slice(1))
        if (going.length > 0) repeats(tree, to, going, n, out)
      }
    }
  }
}
