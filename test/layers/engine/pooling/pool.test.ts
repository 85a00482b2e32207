import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Engine } from "../../../../src/index.ts"
import { changedCheckpoint } from "../../../support/checkpoints.ts"
import { distance, poolingFolder } from "../../../support/poolingGolden.ts"

const on = (model: string, options: object = {}) => Engine.layer({ model, device: "reference", ...options })
const embedder = (options: object = {}) => on(poolingFolder("bert-embed"), options)
/** Long enough not to be over before the next fiber has had its turn. */
const text = "the mill stands by the river "
const pool = (request: object) =>
  Effect.flatMap(Engine, (engine) => engine.pool({ task: "embed", prompt: text, ...request }))
const idle = Effect.gen(function* () {
  const engine = yield* Engine
  while (true) {
    const { running, waiting } = yield* engine.metrics
    if (running + waiting === 0) return
    yield* Effect.sleep(5)
  }
}).pipe(Effect.timeout("5 seconds"))

describe("Engine.pool", () => {
  it.live("refuses an id that is in flight, and it is free again when that has ended", () =>
    Effect.gen(function* () {
      const first = yield* Effect.fork(pool({ requestId: "a" }))
      yield* Effect.yieldNow()
      const second = yield* Effect.either(pool({ requestId: "a" }))
      expect(second).toMatchObject({ _tag: "Left", left: { _tag: "InvalidRequest", field: "requestId" } })
      expect((yield* Fiber.join(first)).requestId).toBe("a")
      expect((yield* pool({ requestId: "a" })).requestId).toBe("a")
    }).pipe(Effect.provide(embedder()))
  )

  it.live("abort(id) calls a text off; an id that is not there is no error", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const fiber = yield* Effect.fork(pool({ requestId: "a" }))
      yield* Effect.repeatN(Effect.yieldNow(), 3)
      yield* engine.abort("a")
      yield* engine.abort("nobody")
      expect(Exit.isInterrupted(yield* Fiber.await(fiber))).toBe(true)
      yield* idle
      expect((yield* engine.metrics).finishedRequests).toBe(0)
    }).pipe(Effect.provide(embedder()))
  )

  it.live("scores a pair by its embeddings' cosine, and needs one", () =>
    Effect.gen(function* () {
      const pair = ["the mill", "the river"] as const
      const scored = yield* pool({ task: "score", prompt: undefined, pair, requestId: "s" })
      const [a, b] = yield* Effect.all(pair.map((prompt) => pool({ prompt })))
      const cosine = (a!.data as Array<number>).reduce((sum, value, at) => sum + value * (b!.data[at] as number), 0)
      expect(distance(scored.data, [cosine])).toBeLessThan(1e-12)
      expect(scored.requestId).toBe("s")
      const alone = yield* Effect.either(pool({ task: "score" }))
      expect(alone).toMatchObject({ left: { _tag: "InvalidRequest", field: "pair" } })
      const unknown = yield* Effect.either(pool({ task: "rank" }))
      expect(unknown).toMatchObject({ left: { _tag: "InvalidRequest", field: "task" } })
    }).pipe(Effect.provide(embedder()))
  )

  it.live("a row that is not finite ends its text alone", () => {
    const model = changedCheckpoint(poolingFolder("bert-embed"), (tensors) =>
      tensors.map((tensor) => {
        if (tensor.name !== "embeddings.word_embeddings.weight") return tensor
        const values = new Float32Array(new Uint8Array(tensor.data).buffer)
        const hidden = tensor.shape[1]!
        values.fill(Number.NaN, 438 * hidden, 439 * hidden)
        return { ...tensor, data: new Uint8Array(values.buffer) }
      })
    )
    return Effect.gen(function* () {
      // 438 begins "Hello" in this tokenizer.
      const asked = ["the mill", "Hello", "the river"].map((prompt) => Effect.either(pool({ prompt })))
      const [a, hello, b] = yield* Effect.all(asked, { concurrency: "unbounded" })
      expect(hello).toMatchObject({ _tag: "Left", left: { _tag: "NumericalFault" } })
      expect([a!._tag, b!._tag]).toEqual(["Right", "Right"])
    }).pipe(Effect.provide(on(model)))
  })

  it.live("closed, ends every text with EngineClosed; a full queue refuses", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(embedder({ maxNumSeqs: 1, maxQueuedRequests: 2 }), scope)
      const all = yield* Effect.fork(
        Effect.all(
          Array.from({ length: 12 }, () => Effect.either(pool({ prompt: text.repeat(20) }))),
          { concurrency: "unbounded" }
        ).pipe(Effect.provide(context))
      )
      yield* Effect.repeatN(Effect.yieldNow(), 4)
      yield* Scope.close(scope, Exit.void)
      const tags = (yield* Fiber.join(all)).map((result) => (result._tag === "Left" ? result.left._tag : "answered"))
      expect(tags).toContain("QueueFull")
      expect(tags).toContain("EngineClosed")
      const late = yield* Effect.either(Effect.provide(pool({}), context))
      expect(late).toMatchObject({ left: { _tag: "EngineClosed" } })
    })
  )
})
