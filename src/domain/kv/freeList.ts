/**
 * Free blocks in the order of reuse: an intrusive doubly linked list over two arrays, so that taking a block out of its
 * middle (a cached block that is adopted) costs as much as taking the first. Index 0, the null block, is the list's end.
 */
export interface FreeList {
  /** Blocks in the list. */
  readonly size: number
  /** Takes the block that is to be reused first; 0 when the list is empty. */
  take(): number
  remove(block: number): void
  /** To be reused last. */
  append(block: number): void
  /** To be reused first. */
  prepend(block: number): void
  /** In the order of reuse. */
  toArray(): ReadonlyArray<number>
}

export const makeFreeList = (blocks: number): FreeList => {
  const next = new Int32Array(blocks + 1)
  const previous = new Int32Array(blocks + 1)
  let size = 0
  const insert = (block: number, before: number, after: number) => {
    next[before] = block
    previous[block] = before
    next[block] = after
    previous[after] = block
    size++
  }
  const remove = (block: number) => {
    next[previous[block]!] = next[block]!
    previous[next[block]!] = previous[block]!
    size--
  }
  const list: FreeList = {
    get size() {
      return size
    },
    take: () => {
      const block = next[0]!
      if (block !== 0) remove(block)
      return block
    },
    remove,
    append: (block) => insert(block, previous[0]!, 0),
    prepend: (block) => insert(block, 0, next[0]!),
    toArray: () => {
      const order: Array<number> = []
      // Bounded, so that a broken ring is reported by its length instead of hanging.
      for (let block = next[0]!; block !== 0 && order.length <= blocks; block = next[block]!) order.push(block)
      return order
    }
  }
  for (let block = 1; block <= blocks; block++) list.append(block)
  return list
}
