import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import type { StepInput } from "../../../src/domain/batch/step.ts"
import { makeBlockPool } from "../../../src/domain/kv/makeBlockPool.ts"
import type { Plan } from "../../../src/domain/plan/plan.ts"
import type { Sequence } from "../../../src/domain/request/sequence.ts"
import { makeScheduler } from "../../../src/domain/schedule/makeScheduler.ts"
import { layer, type NullOptions } from "../../../src/layers/backend/Null.ts"
import { Backend } from "../../../src/services/Backend.ts"
import { makeSequence, range } from "../../support/sequences.ts"

const plan: Plan = {
  architecture: "null",
  dtype: "bfloat16",
  instructions: [],
  headStart: 0,
  slots: [],
  tokenBytes: 0,
  outputBytes: 0,
  weights: [
    { name: "w", kind: "linear", dtype: "bfloat16", rows: 10, columns: 8, source: "checkpoint", segments: [] },
    { name: "v", kind: "vector", dtype: "float32", rows: 1, columns: 8, source: "checkpoint", segments: [] }
  ],
  cacheGroups: [{ layers: 2, kvHeads: 1, keyDim: 4, valueDim: 4, dtype: "bfloat16", window: 0 }],
  logits: { kind: "view", slot: 0, column: 0, columns: 100 },
  vocabSize: 100
}
const capacity = { maxTokens: 64, maxSequences: 4, blocks: 8, blockSize: 4 }

const loaded = (options: NullOptions) =>
  Effect.flatMap(Backend, (backend) =>
    backend.load({ plan, capacity, tensors: { files: [], tensors: new Map() } })
  ).pipe(Effect.provide(layer(options)))

const schedulerOf = (...sequences: ReadonlyArray<Sequence>) => {
  const pool = makeBlockPool({ blocks: 8, blockSize: 4, prefixCaching: true })
  const scheduler = makeScheduler(
    {
      maxNumBatchedTokens: 5,
      maxNumSeqs: 4,
      maxModelLen: 24,
      blockSize: 4,
      longPrefillTokenThreshold: 0,
      enableChunkedPrefill: true,
      policy: "fcfs"
    },
    pool
  )
  for (const sequence of sequences) scheduler.add(sequence)
  return scheduler
}

describe("Null backend", () => {
  it.scoped("follows a script, in chunks and with two steps in flight", () =>
    Effect.gen(function* () {
      const model = yield* loaded({ script: (prompt, index) => prompt.length + 10 * index })
      const sequences = [1, 2].map((id) => makeSequence({ id, prompt: range(5 + id), limits: { maxTokens: 4 } }))
      const scheduler = schedulerOf(...sequences)
      let running = scheduler.schedule()
      while (running) {
        const fibers = [yield* Effect.fork(model.step(running.input))]
        const next = scheduler.schedule()
        if (next) fibers.push(yield* Effect.fork(model.step(next.input)))
        scheduler.advance(running.plan, yield* Fiber.join(fibers[0]!))
        if (next) scheduler.advance(next.plan, yield* Fiber.join(fibers[1]!))
        running = scheduler.schedule()
      }
      expect(sequences.map(({ tokens, promptLength }) => tokens.slice(promptLength))).toEqual([
        [6, 16, 26, 36],
        [7, 17, 27, 37]
      ])
    })
  )

  it.scoped("answers logprobs in the shape that a step asks for", () =>
    Effect.gen(function* () {
      const model = yield* loaded({ script: () => 7 })
      const draw = { logprobs: 2, promptLogprobs: 0 }
      const { input } = schedulerOf(makeSequence({ id: 1, prompt: [3, 4], draw })).schedule()!
      const result = yield* model.step(input)
      expect(result.top).toBe(2)
      expect([...result.tokens]).toEqual([4, 7])
      expect([...result.topTokens]).toEqual([-1, -1, 7, 8])
      expect(result.ranks[1]).toBe(1)
      expect(result.ranks[0]).toBeGreaterThanOrEqual(1)
      expect(result.logprobs[1]).toBeCloseTo(Math.log(0.5))
      expect([...result.faults]).toEqual([0, 0])
    })
  )

  it.scoped("makes a row that the script answers with NaN a fault", () =>
    Effect.gen(function* () {
      const model = yield* loaded({ script: () => Number.NaN })
      const { input } = schedulerOf(makeSequence({ id: 1, prompt: [3, 4] })).schedule()!
      expect([...(yield* model.step(input)).faults]).toEqual([1])
    })
  )

  it.scoped("takes its price on the clock, one step after another", () =>
    Effect.gen(function* () {
      const cost = (input: StepInput) => Duration.millis(10 * input.tokens.length)
      const model = yield* loaded({ cost })
      const scheduler = schedulerOf(makeSequence({ id: 1, prompt: [3, 4] }))
      const first = yield* Effect.fork(model.step(scheduler.schedule()!.input))
      const second = yield* Effect.fork(model.step(scheduler.schedule()!.input))
      yield* TestClock.adjust("20 millis")
      expect((yield* Fiber.join(first)).elapsed).toBe(20)
      expect(yield* Fiber.poll(second)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("10 millis")
      expect((yield* Fiber.join(second)).tokens).toHaveLength(1)
    })
  )

  it.scoped("counts weights and cache, and refuses what does not fit", () =>
    Effect.gen(function* () {
      // 10 x 8 bf16 and 8 float32; 2 layers x 8 values x 2 bytes x (8 + 1) blocks of 4.
      const model = yield* loaded({ memory: 192 + 1152 })
      expect(model).toMatchObject({ weightBytes: 192, cacheBytes: 1152 })
      const refused = yield* Effect.flip(loaded({ memory: 192 + 1151 }))
      expect(refused).toMatchObject({ _tag: "OutOfMemory", neededBytes: 1344, availableBytes: 1343 })
    })
  )
})
