import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { InvalidRequest, LLM } from "../../../src/index.ts"
import { layerNull } from "../../../src/layers/compose/null.ts"
import { beamSearch, complete, generate } from "../../../src/layers/engine/derived.ts"
import { Engine } from "../../../src/services/Engine.ts"
import { endless, held, nothing, stepMillis, steps } from "../../support/nullEngine.ts"

const slow = { cost: stepMillis }
const rejected = async (promise: Promise<unknown>) => {
  const [settled] = await Promise.allSettled([promise])
  assert.strictEqual(settled.status, "rejected")
  return (settled as PromiseRejectedResult).reason
}

describe("several replies to one prompt", () => {
  it.effect("are parked together when their reader falls behind, and come back together", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const asked = endless({ params: { n: 3, maxTokens: 40 } })
      const { deltas } = yield* engine.submit(asked)
      yield* steps(30)
      assert.deepInclude(yield* engine.metrics, { parked: 3, running: 0, waiting: 0 })
      // Each reply counts: at high water two steps are on their way, three tokens in each.
      assert.isAtMost((yield* engine.metrics).generationTokens, 3 * 8 + 2 * 3)
      const reader = yield* Effect.fork(Stream.runCollect(deltas))
      yield* steps(60)
      const all = Chunk.toReadonlyArray(yield* Fiber.join(reader))
      for (const index of [0, 1, 2])
        assert.strictEqual(all.filter((d) => d.index === index).flatMap(({ tokenIds }) => tokenIds).length, 40)
      assert.deepStrictEqual(yield* held, nothing)
    }).pipe(Effect.scoped, Effect.provide(layerNull({ ...slow, streamBuffer: 8 })))
  )

  it.effect("give their blocks back within two steps of an interrupt, at the prompt and at the replies", () =>
    Effect.gen(function* () {
      for (const before of [1, 2, 9]) {
        const reader = yield* Effect.fork(Stream.runDrain(generate(endless({ params: { n: 4 } }))))
        yield* steps(before)
        assert.strictEqual((yield* held).sequences, 4)
        yield* Fiber.interrupt(reader)
        yield* steps(2)
        assert.deepStrictEqual(yield* held, nothing)
      }
    }).pipe(Effect.provide(layerNull(slow)))
  )

  it.effect("are one request in the queue", () =>
    Effect.gen(function* () {
      const engine = yield* Engine
      const queue = Effect.gen(function* () {
        yield* engine.submit(endless())
        yield* steps(2)
        yield* engine.submit(endless({ params: { n: 5 } }))
        return yield* Effect.either(engine.submit(endless()))
      })
      const third = yield* Effect.scoped(queue)
      assert.deepInclude(third, { _tag: "Left" })
      assert.deepInclude(third._tag === "Left" ? third.left : third, { _tag: "QueueFull" })
      yield* steps(2)
    }).pipe(Effect.provide(layerNull({ ...slow, maxNumSeqs: 1, maxQueuedRequests: 1 })))
  )

  it("over a prompt that leaves them no block is refused, by the field that asks for them", async () => {
    await using llm = await LLM.fromLayer(layerNull({ kvBlocks: 20, maxModelLen: 300, blockSize: 16 }))
    const prompt = Array.from({ length: 250 }, () => 65)
    const output = await llm.generate([prompt], { n: 5, maxTokens: 2, ignoreEos: true })
    assert.strictEqual(output[0]!.outputs.length, 5)
    for (const [params, field] of [
      [{ n: 6 }, "n"],
      [{ n: 2, bestOf: 6 }, "bestOf"]
    ] as const) {
      const error = await rejected(llm.generate([prompt], { ...params, maxTokens: 2 }))
      assert.instanceOf(error, InvalidRequest)
      assert.strictEqual(error.field, field)
      assert.match(error.message, /20 blocks of 16 tokens, the prompt fills 15/)
    }
    const error = await rejected(llm.beamSearch([prompt], { beamWidth: 6 }))
    assert.strictEqual(error.field, "beamWidth")
  })
})

describe("deadline and priority", () => {
  it("a deadline that has passed already is refused by name; one that passes later fails", async () => {
    await using llm = await LLM.fromLayer(layerNull({ cost: "5 millis" }))
    const long = { maxTokens: 4000, ignoreEos: true }
    for (const deadline of [0, -1, "0 seconds"] as const) {
      assert.deepInclude(await rejected(llm.generate("x", long, { deadline })), { field: "deadline" })
      assert.deepInclude(await rejected(llm.beamSearch("x", {}, { deadline })), { field: "deadline" })
    }
    assert.strictEqual((await rejected(llm.generate("x", long, { deadline: 40 })))._tag, "DeadlineExceeded")
    const wide = { beamWidth: 2, maxTokens: 4000, ignoreEos: true }
    assert.strictEqual((await rejected(llm.beamSearch("x", wide, { deadline: 40 })))._tag, "DeadlineExceeded")
    // The step that is on its way has to retire.
    const used = async () => {
      const { running, waiting, kvBlocksFree, kvBlocksTotal } = await llm.getMetrics()
      return running + waiting + kvBlocksTotal - kvBlocksFree
    }
    for (let wait = 0; wait < 500 && (await used()) > 0; wait++) await new Promise((done) => setTimeout(done, 10))
    assert.strictEqual(await used(), 0)
  })

  it.effect("a priority is refused where the policy would pass it over", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(complete({ promptTokenIds: [1], priority: 1 }))
      assert.deepInclude(refused, { _tag: "InvalidRequest", field: "priority", given: "1" })
    }).pipe(Effect.provide(layerNull()))
  )

  it.effect("the lower priority runs first, replies and beams too", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const note = (name: string) => Effect.sync(() => order.push(name))
      const one = { promptTokenIds: [1, 2, 3], params: { maxTokens: 3, ignoreEos: true } }
      const beams = { promptTokenIds: [1, 2, 3], params: { beamWidth: 2, maxTokens: 3, ignoreEos: true } }
      const first = yield* Effect.fork(complete(one))
      yield* steps(1)
      const rest = yield* Effect.forEach(
        [
          Effect.zipRight(complete({ ...one, priority: 7 }), note("last")),
          Effect.zipRight(complete({ ...one, params: { ...one.params, n: 3 }, priority: 3 }), note("replies")),
          Effect.zipRight(beamSearch({ ...beams, priority: -2 }), note("beams"))
        ],
        Effect.fork
      )
      yield* steps(60)
      yield* Fiber.join(first)
      yield* Effect.forEach(rest, Fiber.join)
      assert.deepStrictEqual(order, ["beams", "replies", "last"])
    }).pipe(Effect.provide(layerNull({ ...slow, maxNumSeqs: 1, schedulingPolicy: "priority" })))
  )
})
