import { describe, expect, it } from "vitest"
import type { StepInput, StepResult } from "../../../src/domain/batch/step.ts"
import { makeBlockPool } from "../../../src/domain/kv/makeBlockPool.ts"
import { type PoolTarget, poolings, poolTarget } from "../../../src/domain/pooling/target.ts"
import { makePoolSequence } from "../../../src/domain/request/poolSequence.ts"
import type { Sequence } from "../../../src/domain/request/sequence.ts"
import { makeScheduler } from "../../../src/domain/schedule/makeScheduler.ts"
import type { Scheduler, SchedulerConfig } from "../../../src/domain/schedule/scheduler.ts"
import { stream } from "../../support/opCase.ts"
import { range } from "../../support/sequences.ts"

const config: SchedulerConfig = {
  maxNumBatchedTokens: 64,
  maxNumSeqs: 6,
  maxModelLen: 64,
  blockSize: 16,
  longPrefillTokenThreshold: 0,
  enableChunkedPrefill: true,
  policy: "fcfs",
  pooler: { bidirectional: false, tokenTypes: true }
}
const encoder = { ...config, pooler: { bidirectional: true, tokenTypes: true } }
const schedulerOf = (given: SchedulerConfig, blocks = 16) =>
  makeScheduler(given, makeBlockPool({ blocks, blockSize: 16, prefixCaching: true }))

/** Rows that say which token they are of: [token, position, type]. `faulty`: a token whose rows are not finite. */
const answer = ({ tokens, positions, pool }: StepInput, faulty = -1): StepResult => {
  const rowOf = (row: number) => [tokens[row]!, positions[row]!, pool!.tokenTypes[row]!]
  const rows = [...pool!.pooled, ...pool!.each]
  return {
    tokens: new Int32Array(0),
    logprobs: new Float32Array(0),
    ranks: new Int32Array(0),
    faults: new Uint8Array(0),
    top: 0,
    topTokens: new Int32Array(0),
    topLogprobs: new Float32Array(0),
    elapsed: 0,
    pool: {
      pooled: Float32Array.from([...pool!.pooled].flatMap(rowOf)),
      each: Float32Array.from([...pool!.each].flatMap(rowOf)),
      faults: Uint8Array.from(rows, (row) => (tokens[row] === faulty ? 1 : 0))
    }
  }
}

interface Got {
  pooled: ReadonlyArray<number> | undefined
  readonly each: Array<ReadonlyArray<number>>
  end: "stop" | "fault" | undefined
}

interface RunOptions {
  /** Called after every step. */
  readonly between?: () => void
  readonly faulty?: number
  /** Steps that may be under way at once. */
  readonly depth?: 1 | 2
}

/** Runs until nothing is left. */
const runAll = (scheduler: Scheduler, got: Map<Sequence, Got>, options: RunOptions = {}) => {
  const { between = () => {}, faulty, depth = 1 } = options
  const inputs: Array<StepInput> = []
  const queue: Array<NonNullable<ReturnType<Scheduler["schedule"]>>> = []
  for (;;) {
    for (let next: ReturnType<Scheduler["schedule"]>; queue.length < depth; queue.push(next)) {
      next = scheduler.schedule()
      if (next === undefined) break
      inputs.push(next.input)
    }
    const next = queue.shift()
    if (next === undefined) break
    const result = answer(next.input, faulty)
    const { pooled, each } = result.pool!
    for (const { sequence, pooled: rows, finishReason, fault } of scheduler.advance(next.plan, result)) {
      const mine = got.get(sequence)!
      expect(mine.end).toBe(undefined)
      if (rows!.row >= 0) mine.pooled = [...pooled.slice(rows!.row * 3, rows!.row * 3 + 3)]
      for (let i = 0; i < rows!.eachRows; i++)
        mine.each[rows!.eachIndex + i] = [...each.slice((rows!.eachRow + i) * 3, (rows!.eachRow + i) * 3 + 3)]
      mine.end = fault ? "fault" : finishReason === "stop" ? "stop" : undefined
    }
    scheduler.check()
    between()
  }
  return inputs
}

const add = (scheduler: Scheduler, got: Map<Sequence, Got>, id: number, tokens: number[], target: PoolTarget) => {
  const sequence = makePoolSequence({ id, requestId: `t${id}`, tokens, target })
  got.set(sequence, { pooled: undefined, each: [], end: undefined })
  scheduler.add(sequence)
  return sequence
}

const wanted = ({ tokens, pool }: Sequence) => {
  const row = (position: number) => [tokens[position]!, position, pool!.tokenTypes?.[position] ?? 0]
  return { pooled: pool!.pooled < 0 ? undefined : row(pool!.pooled), each: Array.from(pool!.each, row), end: "stop" }
}

describe("sequences that are computed for their rows", () => {
  it("of a model whose tokens all see each other are never split, and take no blocks", () => {
    const scheduler = schedulerOf(encoder, 1)
    const got = new Map<Sequence, Got>()
    const lengths = [40, 30, 64, 1, 20, 5, 64, 63]
    const sequences = lengths.map((length, id) =>
      add(scheduler, got, id, range(length, 100 * id), poolTarget("MEAN", range(length)))
    )
    const inputs = runAll(scheduler, got)
    for (const sequence of sequences) expect(got.get(sequence)).toEqual(wanted(sequence))
    expect(inputs.map(({ contextLengths }) => [...contextLengths])).toEqual([[40], [30], [64], [1, 20, 5], [64], [63]])
    for (const { cacheGroups, positions, sequenceStarts, pool } of inputs) {
      expect(cacheGroups).toEqual([])
      for (const start of sequenceStarts.slice(0, -1)) expect(positions[start]).toBe(0)
      expect([...pool!.carries].every((place) => place === -1)).toBe(true)
    }
  })

  it("refuses a budget that a text of the model's length would not fit, by name", () => {
    const refused = () => schedulerOf({ ...encoder, maxNumBatchedTokens: 63 })
    expect(refused).toThrow(/maxNumBatchedTokens: given 63, expected at least maxModelLen \(64\)/)
    expect(() => schedulerOf({ ...config, maxNumBatchedTokens: 63 })).not.toThrow()
  })

  it("bring each row asked for, with its token type, however they are split, preempted and called off", () => {
    let preemptions = 0
    for (let seed = 0; seed < 200; seed++) {
      const random = stream(`pooled ${seed}`)
      const below = (n: number) => Math.floor(random() * n)
      const blocks = 4 + below(8)
      const limits = { maxNumBatchedTokens: 6 + below(40), maxNumSeqs: 1 + below(6), longPrefillTokenThreshold: 5 }
      const scheduler = schedulerOf({ ...config, ...limits }, blocks)
      const got = new Map<Sequence, Got>()
      const sequences = Array.from({ length: 12 }, (_, id) => {
        const tokens = Array.from({ length: 1 + below(64) }, () => below(3))
        const tokenTypes = tokens.map(() => below(2))
        const pooling = poolings[below(poolings.length)]!
        return add(scheduler, got, id, tokens, poolTarget(pooling, tokens, { tokenTypes, stepTagId: 2 }))
      })
      const gone = new Set<Sequence>()
      const callOff = () => {
        const victim = sequences[below(40)]
        if (victim === undefined || got.get(victim)!.end !== undefined) return
        gone.add(victim)
        scheduler.finish(victim)
      }
      runAll(scheduler, got, { between: callOff, depth: seed % 2 === 0 ? 1 : 2 })
      for (const sequence of sequences)
        if (!gone.has(sequence)) expect(got.get(sequence), `seed ${seed}`).toEqual(wanted(sequence))
      const { running, waiting, kvBlocksFree, preemptions: count } = scheduler.counts()
      expect([running, waiting, kvBlocksFree]).toEqual([0, 0, blocks])
      preemptions += count
    }
    expect(preemptions).toBeGreaterThan(0)
  })

  it("keep a place for the sum of a mean that is split, and give it back", () => {
    const scheduler = schedulerOf({ ...config, maxNumBatchedTokens: 16, maxNumSeqs: 2 })
    const got = new Map<Sequence, Got>()
    for (let id = 0; id < 8; id++) add(scheduler, got, id, range(40, 50 * id), poolTarget("MEAN", range(40)))
    const inputs = runAll(scheduler, got)
    const places = inputs.flatMap(({ pool }) => [...pool!.carries])
    expect([...new Set(places)].sort()).toEqual([0, 1])
    expect([...got.values()].every(({ end }) => end === "stop")).toBe(true)
  })

  it("end alone when a row is not finite", () => {
    const scheduler = schedulerOf(encoder, 1)
    const got = new Map<Sequence, Got>()
    const ends = [10, 20, 30].map((first, id) => add(scheduler, got, id, [first, 1], poolTarget("ALL", [first, 1])))
    runAll(scheduler, got, { faulty: 20 })
    expect(ends.map((sequence) => got.get(sequence)!.end)).toEqual(["stop", "fault", "stop"])
  })
})
