import { maskWords } from "./constraint.ts"

/** The text that each token of a tokenizer stands for, as bytes; undefined for those that write no text. */
export type TokenBytes = (id: number) => Uint8Array | undefined

/**
 * The tokens of a vocabulary as a tree of bytes, its nodes in preorder: the first child of node n is n + 1 unless `skip[n]` is,
 * and the nodes below n end before `skip[n]`. Node 0 is the root.
 */
export interface TokenTree {
  readonly byte: Uint8Array
  readonly depth: Uint16Array
  readonly skip: Int32Array
  /** The node's token, -1 for none. */
  readonly token: Int32Array
  /** Other tokens of the same bytes, by token. */
  readonly same: ReadonlyMap<number, ReadonlyArray<number>>
  /** Bytes of the longest token. */
  readonly longest: number
  readonly words: number
  readonly bytesOf: TokenBytes
  /** Bytes that are a token by themselves. */
  readonly single: Uint8Array
}

const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

const commonLength = (a: Uint8Array, b: Uint8Array): number => {
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) i++
  return i
}

interface Item {
  readonly id: number
  readonly bytes: Uint8Array
}

/** Tokens in the order of their bytes. */
function* listTokens(vocabSize: number, bytesOf: TokenBytes): Generator<void, Array<Item>> {
  const byFirst: Array<Array<Item>> = Array.from({ length: 256 }, () => [])
  for (let id = 0; id < vocabSize; id++) {
    const bytes = bytesOf(id)
    if (bytes !== undefined && bytes.length > 0) byFirst[bytes[0]!]!.push({ id, bytes })
    if (id % 2048 === 0) yield
  }
  const items: Array<Item> = []
  for (const some of byFirst) {
    for (const item of some.sort((a, b) => compare(a.bytes, b.bytes) || a.id - b.id)) items.push(item)
    yield
  }
  return items
}

/** Builds the tree: once for each tokenizer, in pieces of a few milliseconds. Ids run below `vocabSize`. */
export function* makeTokenTree(vocabSize: number, bytesOf: TokenBytes): Generator<void, TokenTree> {
  const items = yield* listTokens(vocabSize, bytesOf)
  let nodes = 1
  items.forEach(({ bytes }, i) => {
    nodes += bytes.length - (i === 0 ? 0 : commonLength(bytes, items[i - 1]!.bytes))
  })
  const [byte, depth] = [new Uint8Array(nodes), new Uint16Array(nodes)]
  const [skip, token] = [new Int32Array(nodes).fill(nodes), new Int32Array(nodes).fill(-1)]
  const same = new Map<number, Array<number>>()
  const single = new Uint8Array(256)
  // Nodes on the way to the last token, by depth.
  const path = [0]
  let [at, longest] = [1, 0]
  let before: Item = { id: -1, bytes: new Uint8Array(0) }
  let done = 0
  for (const item of items) {
    if (done++ % 8192 === 0) yield
    const { id, bytes } = item
    const shared = commonLength(bytes, before.bytes)
    const twin = shared === bytes.length && shared === before.bytes.length ? token[path.at(-1)!]! : -1
    for (const closed of path.splice(shared + 1)) skip[closed] = at
    for (let d = shared; d < bytes.length; d++) {
      byte[at] = bytes[d]!
      depth[at] = d + 1
      path.push(at++)
    }
    if (twin >= 0) same.set(twin, [...(same.get(twin) ?? []), id])
    else token[path.at(-1)!] = id
    if (bytes.length === 1) single[bytes[0]!] = 1
    longest = Math.max(longest, bytes.length)
    before = item
  }
  return { byte, depth, skip, token, same, longest, words: maskWords(vocabSize), bytesOf, single }
}
