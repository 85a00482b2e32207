import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { needsFlops, resolve } from "../../../src/domain/config/resolve.ts"
import type { ResolveInput } from "../../../src/domain/config/resolveInput.ts"

const input = (options: Partial<ResolveInput["options"]> = {}, rest: Partial<ResolveInput> = {}): ResolveInput => ({
  options: { model: "m", ...options },
  facts: { parameters: 5e6, maxModelLen: 1024 },
  device: { name: "cpu", memory: 8e9 },
  flops: 200e9,
  kvBlockBytes: (blockSize) => 3072 * blockSize,
  weightBytes: 1e7,
  arenaBytesPerToken: 20_000,
  ...rest
})
const right = (given: ResolveInput) => Either.getOrThrow(resolve(given))
const left = (given: ResolveInput) => Either.getOrThrow(Either.flip(resolve(given)))
const onDevice = (name: ResolveInput["device"]["name"]) => right(input({}, { device: { name, memory: 8e9 } })).scheduler

describe("resolve", () => {
  it("gives each device its own batch", () => {
    expect(onDevice("cpu")).toMatchObject({ maxNumSeqs: 64, maxNumBatchedTokens: 256 })
    expect(onDevice("reference")).toMatchObject({ maxNumSeqs: 256, maxNumBatchedTokens: 2048 })
    expect(onDevice("null")).toMatchObject({ maxNumSeqs: 256, maxNumBatchedTokens: 2048 })
    expect(onDevice("cuda")).toMatchObject({ maxNumSeqs: 256, maxNumBatchedTokens: 8192 })
  })

  it("aims CPU steps at 150 ms, within 64 to 256 tokens and never below maxNumSeqs", () => {
    const budget = (parameters: number, maxNumSeqs = 64) =>
      right(input({ maxNumSeqs }, { facts: { parameters, maxModelLen: 1024 } })).scheduler.maxNumBatchedTokens
    expect(budget(5e6)).toBe(256)
    expect(budget(135e6)).toBe(96)
    expect(budget(8e9)).toBe(64)
    expect(budget(8e9, 200)).toBe(200)
  })

  it("asks for a measurement only where the budget depends on it", () => {
    const needs = (parameters: number, options = {}, name: "cpu" | "null" = "cpu") =>
      needsFlops(input(options, { facts: { parameters, maxModelLen: 64 }, device: { name, memory: 1e9 } }))
    expect(needs(135e6)).toBe(true)
    expect(needs(5e6)).toBe(false)
    expect(needs(135e6, { maxNumBatchedTokens: 128 })).toBe(false)
    expect(needs(135e6, {}, "null")).toBe(false)
  })

  it("gives an encoder a budget that its longest text fits, no cache, and many sequences", () => {
    const pooler = {
      task: "embed",
      pooling: "MEAN",
      bidirectional: true,
      tokenTypes: true,
      pooledWidth: 64,
      eachWidth: 64
    } as const
    const facts = { parameters: 5e6, maxModelLen: 1024, pooler }
    const encoder = (options = {}) => input(options, { facts, kvBlockBytes: () => 0 })
    const { scheduler, blocks, kvCacheBytes } = right(encoder())
    expect(scheduler).toMatchObject({ maxNumSeqs: 256, maxNumBatchedTokens: 1024, pooler })
    expect([blocks, kvCacheBytes]).toEqual([1, 0])
    expect(right(encoder({ maxNumBatchedTokens: 2000 })).scheduler.maxNumBatchedTokens).toBe(2000)
    const error = left(encoder({ maxNumBatchedTokens: 512 }))
    expect(error.message).toContain("maxNumBatchedTokens: given 512, expected at least 1024 (maxModelLen, since")
  })

  it("raises the budget to maxModelLen when prompts may not be cut", () => {
    expect(right(input({ enableChunkedPrefill: false })).scheduler.maxNumBatchedTokens).toBe(1024)
    const error = left(input({ enableChunkedPrefill: false, maxNumBatchedTokens: 512 }))
    expect(error.message).toContain("maxNumBatchedTokens: given 512, expected at least 1024")
  })

  it("refuses a budget below maxNumSeqs, and lets a small budget lower an unstated maxNumSeqs", () => {
    expect(left(input({ maxNumSeqs: 32, maxNumBatchedTokens: 16 })).message).toContain("at least 32 (maxNumSeqs)")
    expect(right(input({ maxNumBatchedTokens: 16 })).scheduler.maxNumSeqs).toBe(16)
  })

  it("makes the pool as large as maxNumSeqs sequences need, and no larger", () => {
    const { blocks, kvCacheBytes } = right(input())
    expect(blocks).toBe(64 * 64)
    expect(kvCacheBytes).toBe((64 * 64 + 1) * 16 * 3072)
  })

  it("bounds the default pool by 4 GiB and by 40% of what is left", () => {
    const facts = { parameters: 1e9, maxModelLen: 8192 }
    const kvBlockBytes = (blockSize: number) => 131_072 * blockSize
    const large = right(input({}, { facts, kvBlockBytes, device: { name: "cpu", memory: 64e9 } }))
    expect(large.kvCacheBytes).toBeLessThanOrEqual(4 * 2 ** 30)
    expect(large.kvCacheBytes).toBeGreaterThan(4 * 2 ** 30 - 16 * 131_072)
    const small = right(input({}, { facts, kvBlockBytes, device: { name: "cpu", memory: 4e9 }, arenaBytesPerToken: 0 }))
    expect(small.kvCacheBytes).toBeLessThanOrEqual(0.4 * (3.6e9 - 1e7))
  })

  it("takes kvCacheMemoryBytes at its word, null block included", () => {
    expect(right(input({ kvCacheMemoryBytes: 101 * 16 * 3072 })).blocks).toBe(100)
    expect(right(input({ kvCacheMemoryBytes: 102 * 16 * 3072 - 1 })).blocks).toBe(100)
  })

  it("refuses a pool in which no sequence of maxModelLen fits, and says what would do", () => {
    const error = left(input({ kvCacheMemoryBytes: 64 * 16 * 3072 }))
    expect(error._tag).toBe("InvalidOptions")
    expect(error.message).toContain(`at least ${65 * 16 * 3072}`)
    expect(Either.isRight(resolve(input({ kvCacheMemoryBytes: 65 * 16 * 3072 })))).toBe(true)
  })

  it("says how long a sequence the memory allows", () => {
    const facts = { parameters: 5e6, maxModelLen: 1_000_000 }
    const given = input({}, { facts, device: { name: "cpu", memory: 1e9 } })
    const error = left(given)
    expect(error._tag).toBe("OutOfMemory")
    const fits = Number(/maxModelLen to (\d+)/.exec(error.message)?.[1])
    const fitting = { ...facts, maxModelLen: fits }
    expect(Either.isRight(resolve({ ...given, facts: fitting }))).toBe(true)
    expect(Either.isLeft(resolve({ ...given, facts: { ...fitting, maxModelLen: fits + 1 } }))).toBe(true)
  })

  it("refuses weights that the memory cannot hold, and a pool larger than what is left", () => {
    expect(left(input({}, { weightBytes: 8e9 })).message).toMatch(/weights.*8006 MB; 7200 MB are available/)
    expect(left(input({ kvCacheMemoryBytes: 8e9 }))._tag).toBe("OutOfMemory")
  })

  it("turns durations into milliseconds and no limit into Infinity", () => {
    expect(right(input())).toMatchObject({ maxParkedMillis: 600_000, maxQueuedRequests: Number.POSITIVE_INFINITY })
    expect(right(input({ maxParkedTime: "2 seconds", disableAsyncOutputProc: true }))).toMatchObject({
      maxParkedMillis: 2000,
      overlap: false
    })
  })
})
