/** The blocks of one sequence in the order of its tokens. Changed by the BlockPool only. */
export interface BlockTable {
  readonly blocks: Array<number>
  /** Name of each full block that is registered for prefix caching, by position: what the next block's chain hangs on. */
  readonly hashes: Array<number>
}

export const emptyBlockTable = (): BlockTable => ({ blocks: [], hashes: [] })

/** Moves the blocks, with their references, to a table of their own; `table` is left empty and may grow anew. */
export const detach = (table: BlockTable): BlockTable => ({
  blocks: table.blocks.splice(0),
  hashes: table.hashes.splice(0)
})
