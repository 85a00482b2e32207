import type { BlockTable } from "./blockTable.ts"
import type { FreeList } from "./freeList.ts"
import type { PrefixIndex } from "./prefixIndex.ts"

/** Throws unless each block is either free or held exactly as often as `tables` name it. `references`: by block, from 1. */
export const checkPool = (
  tables: Iterable<BlockTable>,
  references: Int32Array,
  freeList: FreeList,
  index: PrefixIndex
) => {
  const owners = new Int32Array(references.length)
  for (const table of tables) {
    if (table.hashes.length > table.blocks.length) throw new Error("A block table names more hashes than blocks.")
    if (new Set(table.blocks).size !== table.blocks.length) throw new Error("A block table names a block twice.")
    for (const block of table.blocks) {
      if (!(block >= 1 && block < references.length)) throw new Error(`Block ${block} is not one of the pool's.`)
      owners[block]!++
    }
  }
  const order = freeList.toArray()
  const free = new Set(order)
  if (free.size !== order.length || free.size !== freeList.size)
    throw new Error(`The free list holds ${order.length} entries, ${free.size} blocks, and counts ${freeList.size}.`)
  let registered = 0
  for (let block = 1; block < references.length; block++) {
    if (references[block] !== owners[block])
      throw new Error(`Block ${block} counts ${references[block]} references; ${owners[block]} tables own it.`)
    if ((references[block] === 0) !== free.has(block))
      throw new Error(`Block ${block} has ${references[block]} references and is ${free.has(block) ? "" : "not "}free.`)
    if (index.has(block)) registered++
  }
  if (references[0] !== 0) throw new Error("The null block is lent.")
  if (registered !== index.size) throw new Error(`${index.size} chains name ${registered} registered blocks.`)
}
