/**
 * The merges of a BPE model: (left id, right id) -> (rank, merged id), in one Int32Array with open addressing.
 * A slot is four numbers; an empty one has rank -1. At most half full, so that a miss ends soon.
 */
export class PairTable {
  private readonly slots: Int32Array
  private readonly mask: number

  constructor(capacity: number) {
    let size = 16
    while (size < capacity * 2) size *= 2
    this.mask = size - 1
    this.slots = new Int32Array(size * 4)
    for (let i = 2; i < this.slots.length; i += 4) this.slots[i] = -1
  }

  /** The slot of the pair, or the empty slot where it would go. */
  private slot(left: number, right: number): number {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)
    hash ^= hash >>> 15
    const slots = this.slots
    for (let i = hash & this.mask; ; i = (i + 1) & this.mask) {
      const at = i * 4
      if (slots[at + 2]! < 0 || (slots[at] === left && slots[at + 1] === right)) return at
    }
  }

  /** A pair that is named twice keeps its last rank, as the reference does. */
  set(left: number, right: number, rank: number, merged: number): void {
    const at = this.slot(left, right)
    this.slots[at] = left
    this.slots[at + 1] = right
    this.slots[at + 2] = rank
    this.slots[at + 3] = merged
  }

  /** Where the pair lies, for `rankAt` and `mergedAt`; -1 when it does not merge. */
  find(left: number, right: number): number {
    const at = this.slot(left, right)
    return this.slots[at + 2]! < 0 ? -1 : at
  }

  rankAt(at: number): number {
    return this.slots[at + 2]!
  }

  mergedAt(at: number): number {
    return this.slots[at + 3]!
  }
}
