import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { layerNull } from "../../../src/layers/compose/null.ts"
import { generate } from "../../../src/layers/engine/derived.ts"
import { Engine } from "../../../src/services/Engine.ts"
import { endless, held, nothing, stepMillis, steps } from "../../support/nullEngine.ts"

const options = { cost: stepMillis, maxNumSeqs: 2, maxNumBatchedTokens: 32, streamBuffer: 4 }
const readerOf = (request = endless()) => Effect.fork(Stream.runDrain(generate(request)))
/** "Within one step": the one that runs, and the one that may be queued behind it. */
const oneStep = steps(2)

describe("an interrupted request gives its blocks back within one step", () => {
  it.effect("while it waits in the queue", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const first = yield* readerOf()
      const second = yield* readerOf()
      yield* steps(2)
      const queued = yield* readerOf()
      yield* steps(2)
      assert.strictEqual((yield* engine.metrics).waiting, 1)
      yield* Fiber.interrupt(queued)
      assert.deepInclude(yield* engine.metrics, { waiting: 0, running: 2 })
      yield* Fiber.interruptAll([first, second])
      yield* oneStep
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.provide(layerNull(options)))
  )

  it.effect("while its prompt is computed", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const reader = yield* readerOf(endless({ promptTokenIds: new Array(1000).fill(1) }))
      yield* steps(3)
      assert.strictEqual((yield* engine.metrics).generationTokens, 0)
      assert.isAbove((yield* held).blocks, 0)
      yield* Fiber.interrupt(reader)
      assert.strictEqual((yield* held).sequences, 0)
      yield* oneStep
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.provide(layerNull(options)))
  )

  it.effect("while it writes", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const reader = yield* readerOf()
      yield* steps(30)
      const { generationTokens } = yield* engine.metrics
      assert.isAbove(generationTokens, 20)
      yield* Fiber.interrupt(reader)
      yield* oneStep
      assert.deepStrictEqual(yield* held, nothing)
      yield* steps(5)
      assert.isAtMost((yield* engine.metrics).generationTokens, generationTokens)
    }).pipe(Effect.provide(layerNull(options)))
  )

  it.effect("while it is parked", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const scope = yield* Scope.make()
      yield* Scope.extend(engine.submit(endless()), scope)
      yield* steps(12)
      assert.deepInclude(yield* engine.metrics, { parked: 1, running: 0 })
      yield* Scope.close(scope, Exit.void)
      yield* oneStep
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.provide(layerNull(options)))
  )

  it.effect("while its prompt is tokenised: nothing has been taken", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      for (let turns = 0; turns < 6; turns++) {
        const submitting = yield* Effect.fork(Effect.scoped(Effect.zipRight(engine.submit(endless()), Effect.never)))
        yield* Effect.repeatN(Effect.yieldNow(), turns)
        yield* Fiber.interrupt(submitting)
        assert.strictEqual((yield* held).sequences, 0)
      }
      yield* oneStep
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.provide(layerNull(options)))
  )

  it.effect("without overlap as well", () =>
    Effect.gen(function* () {
      const reader = yield* readerOf()
      yield* steps(10)
      yield* Fiber.interrupt(reader)
      yield* steps(1)
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.provide(layerNull({ ...options, disableAsyncOutputProc: true })))
  )
})
