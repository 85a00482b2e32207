import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { DeadlineExceeded } from "../../../src/domain/errors.ts"
import type { OutputKind } from "../../../src/domain/request/accrual.ts"
import { Outbox, type OutboxOptions } from "../../../src/layers/engine/outbox.ts"

const make = (options: Partial<OutboxOptions> = {}) => {
  const calls: Array<string> = []
  const outbox = new Outbox({
    requestId: "r",
    indices: 1,
    kind: "delta" satisfies OutputKind,
    highWater: 4,
    interval: 1,
    onFull: () => calls.push("full"),
    onDrained: () => calls.push("drained"),
    wake: (reader, pull) => reader(pull),
    ...options
  })
  return { outbox, calls }
}
const tail = {
  usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3 },
  metrics: { arrivalTime: 0, firstTokenTime: 1, finishedTime: 2 }
}
const deltas = (outbox: Outbox) => Effect.map(outbox.pull, Chunk.toReadonlyArray)

describe("Outbox", () => {
  it.effect("merges what was not read and gives the prompt once, the usage last", () =>
    Effect.gen(function* () {
      const { outbox } = make()
      outbox.prompt = { logprobs: null, numCachedTokens: 16 }
      outbox.push(0, 7, "a", undefined)
      outbox.push(0, 8, "b", undefined)
      const [first] = yield* deltas(outbox)
      assert.deepStrictEqual(first, {
        requestId: "r",
        index: 0,
        text: "ab",
        tokenIds: [7, 8],
        finishReason: null,
        stopReason: null,
        prompt: { logprobs: null, numCachedTokens: 16 }
      })
      outbox.push(0, 9, "c", undefined)
      outbox.finish(0, "!", "stop", 9)
      outbox.end(tail)
      const [last] = yield* deltas(outbox)
      assert.deepStrictEqual(last, {
        requestId: "r",
        index: 0,
        text: "c!",
        tokenIds: [9],
        finishReason: "stop",
        stopReason: 9,
        ...tail
      })
      assert.deepStrictEqual(yield* Effect.flip(outbox.pull), Option.none())
    })
  )

  it.effect("says full once at high water and drained once when it has been read", () =>
    Effect.gen(function* () {
      const { outbox, calls } = make()
      for (let token = 0; token < 6; token++) outbox.push(0, token, "", undefined)
      assert.deepStrictEqual(calls, ["full"])
      yield* outbox.pull
      assert.deepStrictEqual(calls, ["full", "drained"])
      outbox.push(0, 6, "", undefined)
      yield* outbox.pull
      assert.deepStrictEqual(calls, ["full", "drained"])
    })
  )

  it.effect("wakes a waiting reader, and an interrupted reader takes nothing with it", () =>
    Effect.gen(function* () {
      const { outbox } = make()
      const gone = yield* Effect.fork(outbox.pull)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(gone)
      const reader = yield* Effect.fork(deltas(outbox))
      yield* Effect.yieldNow()
      outbox.push(0, 1, "x", undefined)
      outbox.push(0, 2, "y", undefined)
      assert.deepStrictEqual((yield* Fiber.join(reader))[0]?.text, "xy")
    })
  )

  it.effect("lets tokens gather up to the interval, but neither the first nor the last waits", () =>
    Effect.gen(function* () {
      const { outbox } = make({ interval: 3 })
      outbox.push(0, 1, "a", undefined)
      assert.strictEqual((yield* deltas(outbox))[0]?.text, "a")
      const reader = yield* Effect.fork(deltas(outbox))
      yield* Effect.yieldNow()
      outbox.push(0, 2, "b", undefined)
      outbox.push(0, 3, "c", undefined)
      yield* Effect.yieldNow()
      assert.isTrue(Option.isNone(yield* Fiber.poll(reader)))
      outbox.push(0, 4, "d", undefined)
      assert.strictEqual((yield* Fiber.join(reader))[0]?.text, "bcd")
      outbox.push(0, 5, "e", undefined)
      outbox.finish(0, "", "length", null)
      assert.strictEqual((yield* deltas(outbox))[0]?.text, "e")
    })
  )

  it.effect("delivers what accrued before an error; the first ending stands", () =>
    Effect.gen(function* () {
      const { outbox } = make()
      outbox.push(0, 1, "a", undefined)
      outbox.end(new DeadlineExceeded({ requestId: "r" }))
      outbox.end(tail)
      const [delta] = yield* deltas(outbox)
      assert.strictEqual(delta?.text, "a")
      assert.isUndefined(delta?.usage)
      const exit = yield* Effect.exit(outbox.pull)
      assert.deepStrictEqual(exit, Exit.fail(Option.some(new DeadlineExceeded({ requestId: "r" }))))
    })
  )

  it.effect("of kind final gives one delta an index and never fills", () =>
    Effect.gen(function* () {
      const { outbox, calls } = make({ kind: "final", indices: 2 })
      for (let token = 0; token < 9; token++) {
        outbox.push(0, token, "a", undefined)
        outbox.push(1, token, "b", undefined)
      }
      outbox.finish(0, "", "length", null)
      const [first, ...none] = yield* deltas(outbox)
      assert.deepStrictEqual([first?.index, first?.text, none.length], [0, "a".repeat(9), 0])
      outbox.push(1, 9, "b", undefined)
      outbox.finish(1, "", "stop", null)
      outbox.end(tail)
      const [second] = yield* deltas(outbox)
      assert.deepStrictEqual([second?.index, second?.text, second?.usage], [1, "b".repeat(10), tail.usage])
      assert.deepStrictEqual(calls, [])
    })
  )

  it.effect("of kind cumulative repeats what came before in arrays of its own", () =>
    Effect.gen(function* () {
      const { outbox } = make({ kind: "cumulative" })
      outbox.push(0, 1, "a", undefined)
      const [first] = yield* deltas(outbox)
      outbox.push(0, 2, "b", undefined)
      const [second] = yield* deltas(outbox)
      assert.deepStrictEqual([first?.text, first?.tokenIds], ["a", [1]])
      assert.deepStrictEqual([second?.text, second?.tokenIds], ["ab", [1, 2]])
    })
  )
})
