/**
 * Which block holds the K and V of which prefix.
 *
 * A full block is known by its chain: the name of the block before it (or the extra key, for the first block) and its own
 * tokens. The index is keyed by that pair itself, packed into one string, and not by a digest of it: V8 hashes the string
 * for the look-up and compares it for the answer, so no collision, found by chance or made on purpose, can hand one
 * request the cache of another. A name is given once and never again; a block that is registered anew after its eviction
 * has a new name, and what hung on the old one can no longer be reached: it leaves when its block is reused.
 */
export interface PrefixIndex {
  /** The chain's start for prompts of this extra key. */
  root(extraKey: string | undefined): string
  /** Key of tokens [start, start + blockSize) behind `parent`. */
  key(parent: string, tokens: ReadonlyArray<number>, start: number): string
  /** The block registered under a key; 0 for none. */
  find(key: string): number
  nameOf(block: number): string
  /** Registers `block`, which must not be registered, and gives its name. */
  add(block: number, key: string): string
  has(block: number): boolean
  /** Forgets a block, if it is registered. */
  evict(block: number): void
  readonly size: number
}

export const makePrefixIndex = (blocks: number, blockSize: number): PrefixIndex => {
  const byKey = new Map<string, number>()
  const keys = new Array<string>(blocks + 1).fill("")
  const names = new Array<string>(blocks + 1).fill("")
  const codes = new Array<number>(2 * blockSize).fill(0)
  let named = 0
  return {
    // The first letter tells the kinds of parent apart, and the tokens have a fixed length: keys are unambiguous.
    root: (extraKey) => (extraKey === undefined ? "u" : `s${extraKey}`),
    key: (parent, tokens, start) => {
      for (let i = 0; i < blockSize; i++) {
        const token = tokens[start + i]!
        codes[2 * i] = token & 0xffff
        codes[2 * i + 1] = token >>> 16
      }
      return parent + String.fromCharCode.apply(null, codes)
    },
    find: (key) => byKey.get(key) ?? 0,
    nameOf: (block) => names[block]!,
    add: (block, key) => {
      byKey.set(key, block)
      keys[block] = key
      names[block] = `n${(named++).toString(36)}`
      return names[block]!
    },
    has: (block) => keys[block] !== "",
    evict: (block) => {
      if (keys[block] === "") return
      byKey.delete(keys[block]!)
      keys[block] = ""
      names[block] = ""
    },
    get size() {
      return byKey.size
    }
  }
}
