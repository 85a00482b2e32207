import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { layerNull } from "../../../src/layers/compose/null.ts"
import { complete, generate } from "../../../src/layers/engine/derived.ts"
import { Engine } from "../../../src/services/Engine.ts"
import { endless, held, nothing, stepMillis, steps } from "../../support/nullEngine.ts"

const options = { cost: stepMillis, streamBuffer: 8 }
const limited = endless({ params: { maxTokens: 40 } })

describe("a reader that falls behind", () => {
  it.effect("parks its request, bounded in tokens, and gets the same tokens when it comes back", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { deltas } = yield* engine.submit(limited)
      yield* steps(30)
      assert.deepInclude(yield* engine.metrics, { parked: 1, running: 0 })
      // At high water the steps already submitted still bring theirs: at most two.
      assert.isAtMost((yield* engine.metrics).generationTokens, 8 + 2)
      const reader = yield* Effect.fork(Stream.runCollect(deltas))
      yield* steps(60)
      const tokens = Chunk.toReadonlyArray(yield* Fiber.join(reader)).flatMap(({ tokenIds }) => tokenIds)
      const whole = yield* Effect.fork(complete(limited))
      yield* steps(60)
      assert.deepStrictEqual(tokens, [...(yield* Fiber.join(whole)).outputs[0]!.tokenIds])
      assert.strictEqual(tokens.length, 40)
    }).pipe(Effect.scoped, Effect.provide(layerNull(options)))
  )

  it.effect("does not hold the others up, and gives them its run slot", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      yield* engine.submit(endless())
      yield* steps(15)
      const other = yield* Effect.fork(Stream.runDrain(generate(limited)))
      yield* steps(50)
      yield* Fiber.join(other)
      assert.deepInclude(yield* engine.metrics, { parked: 1, running: 0 })
    }).pipe(Effect.scoped, Effect.provide(layerNull({ ...options, maxNumSeqs: 1 })))
  )

  it.effect("is away for longer than maxParkedTime: its request ends with abort, parked", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const { deltas } = yield* engine.submit(endless())
      yield* steps(15)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* engine.metrics).parked, 1)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* held, nothing)
      const last = Chunk.unsafeLast(yield* Stream.runCollect(deltas))
      assert.deepInclude(last, { finishReason: "abort", stopReason: "parked" })
      assert.isDefined(last.usage)
    }).pipe(Effect.scoped, Effect.provide(layerNull({ ...options, maxParkedTime: "1 minute" })))
  )

  it.effect("never happens to calls that do not stream", () =>
    Effect.gen(function* () {
      const whole = yield* Effect.fork(complete(limited))
      yield* steps(20)
      assert.deepInclude(yield* (yield* Engine).metrics, { parked: 0, running: 1 })
      yield* steps(40)
      assert.strictEqual((yield* Fiber.join(whole)).outputs[0]?.tokenIds.length, 40)
    }).pipe(Effect.provide(layerNull({ ...options, streamBuffer: 1 })))
  )
})
