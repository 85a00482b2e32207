import { describe, expect, it } from "@effect/vitest"
import { emptyBlockTable } from "../../../src/domain/kv/blockTable.ts"
import { makeBlockPool } from "../../../src/domain/kv/makeBlockPool.ts"
import { range } from "../../support/sequences.ts"

const poolOf = (blocks: number, blockSize = 4, prefixCaching = true) =>
  makeBlockPool({ blocks, blockSize, prefixCaching })

/** A table that has computed and registered `tokens`. */
const filled = (pool: ReturnType<typeof poolOf>, tokens: ReadonlyArray<number>, extraKey?: string) => {
  const table = emptyBlockTable()
  expect(pool.extend(table, tokens.length)).toBe(true)
  pool.register(table, tokens, tokens.length, extraKey)
  return table
}

const adopted = (pool: ReturnType<typeof poolOf>, tokens: ReadonlyArray<number>, extraKey?: string) => {
  const table = emptyBlockTable()
  const covered = pool.adopt(table, tokens, extraKey)
  const blocks = [...table.blocks]
  pool.release(table)
  return { covered, blocks }
}

describe("block pool", () => {
  it("lends blocks from 1 upwards, never block 0, and takes nothing when it cannot give all", () => {
    const pool = poolOf(3)
    const table = emptyBlockTable()
    expect(pool.extend(table, 5)).toBe(true)
    expect(table.blocks).toEqual([1, 2])
    const other = emptyBlockTable()
    expect(pool.extend(other, 8)).toBe(false)
    expect(other.blocks).toEqual([])
    expect(pool.free).toBe(1)
    expect(pool.extend(table, 8)).toBe(true)
    expect(table.blocks).toEqual([1, 2])
    pool.check([table, other])
    pool.release(table)
    expect(pool.free).toBe(3)
    pool.check([])
  })

  it("hands a cached prefix to the next prompt, full blocks only", () => {
    const pool = poolOf(8)
    const prompt = range(10)
    const table = filled(pool, prompt)
    pool.release(table)
    expect(adopted(pool, [...prompt, 99, 98, 97])).toEqual({ covered: 8, blocks: [1, 2] })
    expect(adopted(pool, [0, 1, 2, 3, 77, 5, 6, 7, 8])).toEqual({ covered: 4, blocks: [1] })
    expect(adopted(pool, [1, 2, 3, 4, 5])).toEqual({ covered: 0, blocks: [] })
  })

  it("always leaves a token to compute", () => {
    const pool = poolOf(8)
    pool.release(filled(pool, range(8)))
    expect(adopted(pool, range(8)).covered).toBe(4)
    expect(adopted(pool, range(9)).covered).toBe(8)
  })

  it("knows a block by its whole prefix, not by its own tokens", () => {
    const pool = poolOf(8)
    pool.release(filled(pool, [1, 1, 1, 1, 5, 5, 5, 5]))
    expect(adopted(pool, [2, 2, 2, 2, 5, 5, 5, 5, 0]).covered).toBe(0)
    expect(adopted(pool, [5, 5, 5, 5, 0]).covered).toBe(0)
  })

  it("keeps prompts of different extra keys apart, the empty one and none too", () => {
    const pool = poolOf(8)
    pool.release(filled(pool, range(4), "a"))
    for (const key of [undefined, "", "b", "aa"]) expect(adopted(pool, range(5), key).covered).toBe(0)
    expect(adopted(pool, range(5), "a").covered).toBe(4)
  })

  it("tells token ids apart that differ above 16 bits only", () => {
    const pool = poolOf(8)
    pool.release(filled(pool, [1, 2, 3, 4]))
    expect(adopted(pool, [1 + 65536, 2, 3, 4, 5]).covered).toBe(0)
    expect(adopted(pool, [1, 2, 3, 4 + 131072, 5]).covered).toBe(0)
  })

  it("shares a block that is in use, and frees it with its last owner", () => {
    const pool = poolOf(4)
    const first = filled(pool, range(8))
    const second = emptyBlockTable()
    expect(pool.adopt(second, range(9), undefined)).toBe(8)
    expect(pool.free).toBe(2)
    pool.check([first, second])
    pool.release(first)
    expect(pool.free).toBe(2)
    pool.release(second)
    expect(pool.free).toBe(4)
    expect(() => pool.check([second])).not.toThrow()
  })

  it("reuses the tail of a prefix before its head, the oldest prefix first, what no prompt can adopt before all", () => {
    const pool = poolOf(6)
    const old = filled(pool, range(10))
    const young = filled(pool, range(8, 100))
    pool.release(old)
    pool.release(young)
    const taken = emptyBlockTable()
    pool.extend(taken, 4)
    // Block 3 (two tokens of `old`) and block 6, never lent, hold nothing to adopt.
    expect([3, 6]).toContain(taken.blocks[0])
    pool.extend(taken, 12)
    expect(taken.blocks[2]).toBe(2)
    expect(adopted(pool, range(10)).covered).toBe(4)
    expect(adopted(pool, range(9, 100)).covered).toBe(8)
  })

  it("lets a twin's chain go on behind the block that was registered first", () => {
    const pool = poolOf(8)
    const first = filled(pool, range(4))
    const twin = filled(pool, range(8))
    pool.check([first, twin])
    expect(adopted(pool, range(9)).blocks).toEqual([1, 3])
  })

  it("keeps nothing without prefix caching", () => {
    const pool = poolOf(4, 4, false)
    pool.release(filled(pool, range(8)))
    expect(adopted(pool, range(9)).covered).toBe(0)
  })

  it("finds a lost block, a block owned twice, and a block given back twice", () => {
    const pool = poolOf(4)
    const table = filled(pool, range(8))
    expect(() => pool.check([])).toThrow(/1 references; 0 tables own it/)
    expect(() => pool.check([table, table])).toThrow(/2 tables own it/)
    const copy = { blocks: [...table.blocks], hashes: [] }
    pool.release(table)
    expect(() => pool.release(copy)).toThrow(/nobody holds it/)
  })

  it("refuses to register tokens that are not known", () => {
    const pool = poolOf(4)
    const table = emptyBlockTable()
    pool.extend(table, 8)
    expect(() => pool.register(table, range(7), 8, undefined)).toThrow(/7 are known/)
  })

  it("says what is wrong with a pool of no blocks", () => {
    expect(() => poolOf(0)).toThrow(/blocks: given 0, expected a whole number of at least 1/)
  })
})

describe("a forked block table", () => {
  it("owns the same blocks, and a fresh one in the place of a shared one that it unshares", () => {
    const pool = poolOf(4)
    const table = emptyBlockTable()
    pool.extend(table, 6)
    const fork = emptyBlockTable()
    pool.fork(table, fork)
    expect(fork.blocks).toEqual([1, 2])
    expect([pool.shared(table, 1), pool.shared(fork, 1), pool.shared(fork, 2)]).toEqual([true, true, false])
    expect(pool.unshare(fork, 1)).toEqual({ from: 2, to: 3 })
    expect(pool.shared(table, 1)).toBe(false)
    expect(fork.blocks).toEqual([1, 3])
    pool.check([table, fork])
    pool.release(table)
    expect(pool.free).toBe(2)
    pool.release(fork)
    expect(pool.free).toBe(4)
    pool.check([])
  })

  it("unshares nothing when no block is free, and no block that others may adopt", () => {
    const pool = poolOf(2)
    const table = filled(pool, range(8))
    const fork = emptyBlockTable()
    pool.fork(table, fork)
    expect(() => pool.unshare(fork, 1)).toThrow("No block is free")
    pool.check([table, fork])
    const roomy = poolOf(4)
    const registered = filled(roomy, range(8))
    const other = emptyBlockTable()
    roomy.fork(registered, other)
    expect(() => roomy.unshare(other, 1)).toThrow("registered")
  })

  it("registers a shared block once, though its fork knows it behind another parent", () => {
    const pool = poolOf(8)
    const twin = filled(pool, range(4))
    const table = emptyBlockTable()
    pool.extend(table, 8)
    const fork = emptyBlockTable()
    pool.fork(table, fork)
    // The first block's twin is the registered one: the second hangs on its name.
    pool.register(table, range(8), 8, undefined)
    pool.release(twin)
    const others = emptyBlockTable()
    pool.extend(others, 24)
    pool.register(fork, range(8), 8, undefined)
    pool.check([table, fork, others])
  })
})
