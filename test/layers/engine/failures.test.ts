import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { DeviceFailed } from "../../../src/domain/errors.ts"
import type { GenerateRequest } from "../../../src/domain/request/generateRequest.ts"
import { layerNull } from "../../../src/layers/compose/null.ts"
import { complete, generate } from "../../../src/layers/engine/derived.ts"
import { Engine } from "../../../src/services/Engine.ts"
import { endless, engineOver, held, nothing, stepMillis, steps } from "../../support/nullEngine.ts"

/** The stream's error, and the tokens that came before it. */
const failing = (request: GenerateRequest) => {
  let tokens = 0
  return Stream.runForEach(generate(request), (delta) =>
    Effect.sync(() => {
      tokens += delta.tokenIds.length
    })
  ).pipe(
    Effect.flip,
    Effect.map((error) => ({ error, tokens })),
    Effect.fork
  )
}

describe("what goes wrong", () => {
  it.effect("a failing device ends every request with DeviceFailed, and the engine takes no more", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const readers = [yield* failing(endless()), yield* failing(endless())]
      yield* steps(20)
      for (const reader of readers) assert.strictEqual((yield* Fiber.join(reader)).error._tag, "DeviceFailed")
      assert.deepInclude(yield* engine.health, { status: "dead" })
      const refused = yield* Effect.flip(complete(endless()))
      assert.strictEqual(refused._tag, "EngineUnavailable")
      assert.include(refused.message, "on fire")
    }).pipe(
      Effect.provide(
        engineOver(({ step }) =>
          step < 5 ? Effect.void : Effect.fail(new DeviceFailed({ operation: "step", reason: "it is on fire" }))
        )
      )
    )
  )

  it.effect("a defect in the device is a failure too", () =>
    Effect.gen(function* () {
      const reader = yield* failing(endless())
      yield* steps(10)
      const { error } = yield* Fiber.join(reader)
      assert.strictEqual(error._tag, "DeviceFailed")
      assert.include(error.message, "no such kernel")
    }).pipe(
      Effect.provide(engineOver(({ step }) => (step < 3 ? Effect.void : Effect.die(new Error("no such kernel")))))
    )
  )

  it.effect("logits that are not finite end that request alone", () =>
    Effect.gen(function* () {
      const sick = yield* failing(endless({ promptTokenIds: [13], requestId: "sick" }))
      const well = yield* Effect.fork(complete(endless({ params: { maxTokens: 20 } })))
      yield* steps(30)
      const { error, tokens } = yield* Fiber.join(sick)
      assert.deepInclude(error, { _tag: "NumericalFault", requestId: "sick" })
      assert.strictEqual(tokens, 4)
      assert.strictEqual((yield* Fiber.join(well)).outputs[0]?.tokenIds.length, 20)
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(
      Effect.provide(
        layerNull({ cost: stepMillis, script: ([first], index) => (first === 13 && index === 4 ? Number.NaN : 97) })
      )
    )
  )

  it.effect("a deadline fails after what was delivered", () =>
    Effect.gen(function* () {
      const late = yield* failing(endless({ deadline: 10 * stepMillis + 1 }))
      yield* steps(14)
      const { error, tokens } = yield* Fiber.join(late)
      assert.strictEqual(error._tag, "DeadlineExceeded")
      assert.isAbove(tokens, 5)
      yield* steps(2)
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.provide(layerNull({ cost: stepMillis })))
  )

  it.effect("a full queue refuses, and takes again when there is room", () =>
    Effect.gen(function* () {
      const options = { maxNumSeqs: 1, maxQueuedRequests: 1, cost: stepMillis }
      yield* Effect.gen(function* () {
        const running = yield* Effect.fork(Stream.runDrain(generate(endless())))
        yield* steps(2)
        const queued = yield* Effect.fork(Stream.runDrain(generate(endless())))
        yield* steps(2)
        const refused = yield* Effect.flip(complete(endless()))
        assert.deepInclude(refused, { _tag: "QueueFull", maxQueuedRequests: 1 })
        yield* Fiber.interrupt(running)
        yield* steps(3)
        const next = yield* Effect.fork(complete(endless({ params: { maxTokens: 1 } })))
        yield* steps(2)
        yield* Fiber.interrupt(queued)
        yield* steps(4)
        assert.strictEqual((yield* Fiber.join(next)).outputs[0]?.tokenIds.length, 1)
      }).pipe(Effect.provide(layerNull(options)))
    })
  )

  it.effect("release ends every stream with EngineClosed and waits for the step in flight", () =>
    Effect.gen(function* () {
      let inFlight = 0
      const scope = yield* Scope.make()
      const counted = engineOver(() => Effect.sync(() => void inFlight++))
      const context = yield* Layer.buildWithScope(counted, scope)
      const engine = yield* Effect.provide(Engine, context)
      const reader = yield* Effect.provide(failing(endless()), context)
      yield* steps(5)
      const before = inFlight
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Effect.repeatN(Effect.yieldNow(), 50)
      assert.strictEqual((yield* Fiber.join(reader)).error._tag, "EngineClosed")
      assert.strictEqual((yield* Effect.flip(Effect.scoped(engine.submit(endless()))))._tag, "EngineClosed")
      assert.isTrue((yield* Fiber.poll(closing))._tag === "None", "the step in flight has not retired")
      yield* steps(3)
      yield* Fiber.join(closing)
      assert.strictEqual(inFlight, before, "no step was submitted after the close")
    })
  )
})
