/**
 * Which block holds the K and V of which prefix.
 *
 * A full block is known by its chain: the name of the block before it (0: none), its own tokens, and the extra key. A
 * hash of these only leads to candidates; the answer is given by comparing them, so that no collision, found by chance
 * or made on purpose, can hand one request the cache of another. A name is given once and never again, and stands for
 * the whole prefix. A block that is registered anew after its eviction has a new name, and what hung on the old one can
 * no longer be reached: it leaves when its block is reused.
 */
export interface PrefixIndex {
  /** The block registered for tokens [start, start + blockSize) behind `parent`; 0 for none. */
  find(parent: number, tokens: ReadonlyArray<number>, start: number, extraKey: string | undefined): number
  nameOf(block: number): number
  /** Registers `block`, which must not be registered, and gives its name. */
  add(block: number, parent: number, tokens: ReadonlyArray<number>, start: number, extraKey: string | undefined): number
  has(block: number): boolean
  /** Forgets a block, if it is registered. */
  evict(block: number): void
  readonly size: number
}

const mix = (h: number, word: number) => {
  h = Math.imul(h ^ word, 0x9e3779b1)
  return h ^ (h >>> 15)
}

/** The extra key enters at the head of a chain; behind it, the parent's name stands for it. */
const hashHead = (extraKey: string | undefined) => {
  let h = extraKey === undefined ? 1 : 2
  if (extraKey !== undefined) for (let i = 0; i < extraKey.length; i++) h = mix(h, extraKey.charCodeAt(i))
  return h
}

export const makePrefixIndex = (blocks: number, blockSize: number): PrefixIndex => {
  const mask = 2 ** Math.ceil(Math.log2(2 * blocks)) - 1
  /** First block of each bucket, and the next one behind each block; 0 ends the chain. */
  const first = new Int32Array(mask + 1)
  const next = new Int32Array(blocks + 1)
  const buckets = new Int32Array(blocks + 1)
  /** 0: the block is not registered. */
  const names = new Float64Array(blocks + 1)
  const parents = new Float64Array(blocks + 1)
  const contents = new Int32Array((blocks + 1) * blockSize)
  const extraKeys = new Array<string | undefined>(blocks + 1).fill(undefined)
  let named = 0
  let size = 0

  const bucketOf = (parent: number, tokens: ReadonlyArray<number>, start: number, extraKey: string | undefined) => {
    let h = parent === 0 ? hashHead(extraKey) : mix(3, parent)
    for (let i = 0; i < blockSize; i++) h = mix(h, tokens[start + i]!)
    return h & mask
  }
  const holds = (block: number, tokens: ReadonlyArray<number>, start: number) => {
    for (let i = 0; i < blockSize; i++) if (contents[block * blockSize + i] !== tokens[start + i]) return false
    return true
  }

  return {
    find: (parent, tokens, start, extraKey) => {
      let block = first[bucketOf(parent, tokens, start, extraKey)]!
      while (block !== 0) {
        if (parents[block] === parent && extraKeys[block] === extraKey && holds(block, tokens, start)) return block
        block = next[block]!
      }
      return 0
    },
    nameOf: (block) => names[block]!,
    add: (block, parent, tokens, start, extraKey) => {
      const bucket = bucketOf(parent, tokens, start, extraKey)
      for (let i = 0; i < blockSize; i++) contents[block * blockSize + i] = tokens[start + i]!
      parents[block] = parent
      extraKeys[block] = extraKey
      buckets[block] = bucket
      next[block] = first[bucket]!
      first[bucket] = block
      size++
      names[block] = ++named
      return named
    },
    has: (block) => names[block] !== 0,
    evict: (block) => {
      if (names[block] === 0) return
      names[block] = 0
      extraKeys[block] = undefined
      size--
      const bucket = buckets[block]!
      if (first[bucket] === block) first[bucket] = next[block]!
      else {
        let before = first[bucket]!
        while (next[before] !== block) before = next[before]!
        next[before] = next[block]!
      }
    },
    get size() {
      return size
    }
  }
}
