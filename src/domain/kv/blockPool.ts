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
  /** Gives the table's references back, the tail first. */
  release(table: BlockTable): void
  /** Throws unless free + used = total and every reference count equals its owners among `tables`. */
  check(tables: Iterable<BlockTable>): void
}
