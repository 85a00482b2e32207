import type { BlockTable } from "./blockTable.ts"

export interface BlockPoolConfig {
  /** Usable blocks, numbered from 1; block 0 is the null block, never lent. */
  readonly blocks: number
  readonly blockSize: number
  readonly prefixCaching: boolean
}

/** Lends KV blocks. Pure bookkeeping: it never touches the device. Owned by one engine, called from its fiber only. */
export interface BlockPool {
  readonly config: BlockPoolConfig
  /** Blocks free right now, evictable cached ones included. */
  readonly free: number
  /** Grows `table` to hold `tokens` tokens in all; `false`, and nothing taken, when the pool cannot. */
  extend(table: BlockTable, tokens: number): boolean
  /** Takes the longest cached prefix of full blocks, at least one token left to compute; gives how many tokens it covers. */
  adopt(table: BlockTable, tokens: ReadonlyArray<number>, extraKey: string | undefined): number
  /** Registers the blocks that `computed` tokens have filled, for later requests to adopt. */
  register(table: BlockTable, tokens: ReadonlyArray<number>, computed: number, extraKey: string | undefined): void
  /** Makes the empty table `to` an owner of all that `from` holds, a tail that is not full too. */
  fork(from: BlockTable, to: BlockTable): void
  /** Whether another table, too, owns the block at index `at` of `table`: it must be unshared before it is written to. */
  shared(table: BlockTable, at: number): boolean
  /**
   * Puts a fresh block in the place of a shared one, whose content the caller copies, and gives up the reference to it.
   * There must be a free block.
   */
  unshare(table: BlockTable, at: number): { readonly from: number; readonly to: number }
  /** Gives the table's references back, the tail first. */
  release(table: BlockTable): void
  /** Throws unless free + used = total and every reference count equals its owners among `tables`. */
  check(tables: Iterable<BlockTable>): void
}
