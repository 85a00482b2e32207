/** The blocks of one sequence in the order of its tokens. Changed by the BlockPool only. */
export interface BlockTable {
  readonly blocks: Array<number>
  /** Hash of each full block that is registered for prefix caching, by position. */
  readonly hashes: Array<string>
}

export const emptyBlockTable = (): BlockTable => ({ blocks: [], hashes: [] })
