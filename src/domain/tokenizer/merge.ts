import type { PairTable } from "./pairTable.ts"

const NO_RANK = 0x7fffffff
/** Up to here, looking for the lowest rank by a plain walk is faster than a heap. */
const SHORT = 48
const POSITIONS = 2 ** 32

/**
 * Merges `ids[0..count)` in place, the pair of lowest rank first, the leftmost of equals; returns how many remain.
 * `ranks` is scratch of at least the same length.
 */
export const mergeInPlace = (table: PairTable, ids: Int32Array, ranks: Int32Array, count: number): number =>
  count <= SHORT ? mergeShort(table, ids, ranks, count) : mergeLong(table, ids, ranks, count)

const rankOf = (table: PairTable, left: number, right: number): number => {
  const at = table.find(left, right)
  return at < 0 ? NO_RANK : table.rankAt(at)
}

const mergeShort = (table: PairTable, ids: Int32Array, ranks: Int32Array, count: number): number => {
  for (let i = 0; i + 1 < count; i++) ranks[i] = rankOf(table, ids[i]!, ids[i + 1]!)
  for (;;) {
    let best = NO_RANK
    let where = -1
    for (let i = 0; i + 1 < count; i++) {
      if (ranks[i]! < best) {
        best = ranks[i]!
        where = i
      }
    }
    if (where < 0) return count
    ids[where] = table.mergedAt(table.find(ids[where]!, ids[where + 1]!))
    count--
    for (let i = where + 1; i < count; i++) {
      ids[i] = ids[i + 1]!
      ranks[i] = ranks[i + 1]!
    }
    if (where > 0) ranks[where - 1] = rankOf(table, ids[where - 1]!, ids[where]!)
    if (where + 1 < count) ranks[where] = rankOf(table, ids[where]!, ids[where + 1]!)
  }
}

/** A linked list of symbols and a heap of pairs: O(n log n), for texts that no pre-tokenizer cuts (megabytes). */
const mergeLong = (table: PairTable, ids: Int32Array, ranks: Int32Array, count: number): number => {
  const next = new Int32Array(count)
  const previous = new Int32Array(count)
  const heap = new MinHeap(count)
  const look = (i: number) => {
    const j = next[i]!
    const rank = j < count ? rankOf(table, ids[i]!, ids[j]!) : NO_RANK
    ranks[i] = rank
    if (rank !== NO_RANK) heap.push(rank * POSITIONS + i)
  }
  for (let i = 0; i < count; i++) {
    next[i] = i + 1
    previous[i] = i - 1
  }
  for (let i = 0; i < count; i++) look(i)
  while (heap.size > 0) {
    const key = heap.pop()
    const i = key % POSITIONS
    // A stale entry: the symbol has merged since, or its right neighbour has.
    if (ranks[i] !== Math.floor(key / POSITIONS)) continue
    const j = next[i]!
    ids[i] = table.mergedAt(table.find(ids[i]!, ids[j]!))
    ranks[j] = -1
    next[i] = next[j]!
    if (next[i]! < count) previous[next[i]!] = i
    look(i)
    if (previous[i]! >= 0) look(previous[i]!)
  }
  let kept = 0
  for (let i = 0; i < count; i = next[i]!) ids[kept++] = ids[i]!
  return kept
}

/** Keys are rank * 2^32 + position: exact in a double while ranks stay below 2^21. */
class MinHeap {
  size = 0
  private keys: Float64Array
  constructor(capacity: number) {
    this.keys = new Float64Array(Math.max(16, capacity))
  }

  push(key: number): void {
    if (this.size === this.keys.length) {
      const grown = new Float64Array(this.size * 2)
      grown.set(this.keys)
      this.keys = grown
    }
    const keys = this.keys
    let i = this.size++
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (keys[parent]! <= key) break
      keys[i] = keys[parent]!
      i = parent
    }
    keys[i] = key
  }

  pop(): number {
    const keys = this.keys
    const top = keys[0]!
    const last = keys[--this.size]!
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= this.size) break
      if (child + 1 < this.size && keys[child + 1]! < keys[child]!) child++
      if (keys[child]! >= last) break
      keys[i] = keys[child]!
      i = child
    }
    keys[i] = last
    return top
  }
}
