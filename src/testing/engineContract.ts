import { assert, describe, it, layer as layerSuite } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { StartError } from "../domain/errors.ts"
import { foldDeltas } from "../domain/request/fold.ts"
import type { BeamSearchRequest, GenerateRequest } from "../domain/request/generateRequest.ts"
import type { GenerationDelta } from "../domain/request/outputs.ts"
import { beamSearch, complete, generate } from "../layers/engine/derived.ts"
import { Engine } from "../services/Engine.ts"

const prompt = [1, 2, 3, 4, 5]
const greedy = { temperature: 0, ignoreEos: true, logprobs: 2 }
const request = (maxTokens: number, more: GenerateRequest = {}): GenerateRequest => ({
  promptTokenIds: prompt,
  params: { ...greedy, maxTokens },
  ...more
})
const deltasOf = (asked: GenerateRequest) => Effect.map(Stream.runCollect(generate(asked)), Chunk.toReadonlyArray)

/** All blocks free, nothing running: waits, for a step in flight has to retire first. */
const idle = Effect.gen(function* () {
  const engine = yield* Engine
  for (let wait = 0; wait < 500; wait++) {
    const { running, waiting, parked, kvBlocksFree, kvBlocksTotal } = yield* engine.metrics
    if (running + waiting + parked === 0 && kvBlocksFree === kvBlocksTotal) return
    yield* Effect.sleep("10 millis")
  }
  assert.fail(`blocks were not given back: ${JSON.stringify(yield* engine.metrics)}`)
})

const withoutMetrics = (deltas: ReadonlyArray<GenerationDelta>) => {
  const { metrics, ...output } = foldDeltas({ requestId: "same", prompt: null, promptTokenIds: prompt }, deltas)
  assert.isNotNull(metrics)
  return output
}

const streams = {
  "folding generate equals complete": Effect.gen(function* () {
    const folded = withoutMetrics(yield* deltasOf(request(12)))
    const { metrics, ...whole } = yield* complete(request(12))
    assert.isNotNull(metrics)
    // The second finds the first's blocks in the cache: same answer, another count of cached tokens.
    assert.deepStrictEqual({ ...whole, requestId: "same", numCachedTokens: 0 }, { ...folded, numCachedTokens: 0 })
    assert.isTrue(whole.finished)
    assert.strictEqual(whole.outputs[0]?.tokenIds.length, 12)
  }),
  "gives each index one finish reason, the prompt's facts first and the usage last": Effect.gen(function* () {
    const deltas = yield* deltasOf(request(6))
    assert.strictEqual(deltas.filter(({ finishReason }) => finishReason !== null).length, 1)
    assert.deepStrictEqual(
      deltas.map((delta) => delta.prompt !== undefined),
      [true, ...deltas.slice(1).map(() => false)]
    )
    assert.deepStrictEqual(deltas.at(-1)?.usage, { promptTokens: 5, completionTokens: 6, totalTokens: 11 })
    assert.strictEqual(deltas.at(-1)?.finishReason, "length")
  }),
  "outputKind changes what a delta carries, not what is said": Effect.gen(function* () {
    const kinds = ["delta", "cumulative", "final"] as const
    const all = yield* Effect.forEach(kinds, (outputKind) =>
      deltasOf(request(8, { params: { ...greedy, maxTokens: 8, outputKind } }))
    )
    const folded = all.map((deltas, kind) =>
      foldDeltas({ requestId: "same", prompt: null, promptTokenIds: prompt }, deltas, kinds[kind] === "cumulative")
    )
    assert.deepStrictEqual(folded[1]?.outputs, folded[0]?.outputs)
    assert.deepStrictEqual(folded[2]?.outputs, folded[0]?.outputs)
    assert.strictEqual(all[2]?.length, 1)
  }),
  "gives logprobs token by token, the drawn token first and no token twice": Effect.gen(function* () {
    const output = yield* complete(request(4, { params: { ...greedy, maxTokens: 4, promptLogprobs: 1 } }))
    const [reply] = output.outputs
    assert.deepStrictEqual(
      reply?.logprobs?.map(([first]) => first?.tokenId),
      [...(reply?.tokenIds ?? [])]
    )
    for (const entries of reply?.logprobs ?? [])
      assert.strictEqual(new Set(entries.map(({ tokenId }) => tokenId)).size, entries.length)
    assert.isNull(output.promptLogprobs?.[0])
    assert.deepStrictEqual(
      output.promptLogprobs?.slice(1).map((entries) => entries?.[0]?.tokenId),
      prompt.slice(1)
    )
  }),
  "draws n replies to one prompt, reply i as alone with seed + i, over one copy of it": Effect.gen(function* () {
    const engine = yield* Engine
    const params = { temperature: 1, ignoreEos: true, logprobs: 0, maxTokens: 12 }
    const long = Array.from({ length: 3 * engine.model.blockSize + 5 }, (_, i) => 3 + (i % 50))
    const ask = (more: GenerateRequest["params"]) =>
      complete({ promptTokenIds: long, params: { ...params, ...more }, cacheSalt: `n-${more?.seed}-${more?.n}` })
    const seed = 40
    const output = yield* ask({ n: 4, seed })
    const alone = yield* Effect.forEach([0, 1, 2, 3], (i) => ask({ seed: seed + i }))
    assert.deepStrictEqual(
      output.outputs,
      alone.map((single, index) => ({ ...single.outputs[0]!, index }))
    )
    assert.strictEqual(output.numCachedTokens, 0)
    yield* idle
  }),
  "streams n replies: a finish reason each, the prompt's facts once, the end when all have ended": Effect.gen(
    function* () {
      const params = { temperature: 1, seed: 3, n: 3, maxTokens: 9, logprobs: 1 }
      const asked: GenerateRequest = { promptTokenIds: prompt, params: { ...params, ignoreEos: true } }
      const deltas = yield* deltasOf(asked)
      for (const index of [0, 1, 2])
        assert.strictEqual(deltas.filter((d) => d.index === index && d.finishReason !== null).length, 1)
      assert.strictEqual(deltas.filter((delta) => delta.prompt !== undefined).length, 1)
      assert.deepStrictEqual(deltas.at(-1)?.usage, { promptTokens: 5, completionTokens: 27, totalTokens: 32 })
      const folded = withoutMetrics(deltas)
      const { metrics, ...whole } = yield* complete(asked)
      assert.isNotNull(metrics)
      assert.deepStrictEqual({ ...whole, requestId: "same", numCachedTokens: 0 }, { ...folded, numCachedTokens: 0 })
      yield* idle
    }
  ),
  "returns the n of bestOf replies that are the most probable, and refuses to stream them": Effect.gen(function* () {
    const params = { temperature: 1, seed: 11, maxTokens: 8, ignoreEos: true }
    const all = yield* complete({ promptTokenIds: prompt, params: { ...params, n: 5, logprobs: 0 } })
    const ranked = [...all.outputs].sort((a, b) => b.cumulativeLogprob! - a.cumulativeLogprob!)
    const best = yield* complete({ promptTokenIds: prompt, params: { ...params, n: 2, bestOf: 5 } })
    assert.deepStrictEqual(
      best.outputs.map(({ index, tokenIds, logprobs }) => ({ index, tokenIds, logprobs })),
      ranked.slice(0, 2).map(({ tokenIds }, index) => ({ index, tokenIds, logprobs: null }))
    )
    const error = yield* Effect.flip(deltasOf({ promptTokenIds: prompt, params: { ...params, n: 2, bestOf: 5 } }))
    assert.deepInclude(error, { _tag: "InvalidRequest", field: "bestOf" })
    yield* idle
  }),
  "keeps the prompt's last tokens when it is asked to": Effect.gen(function* () {
    const engine = yield* Engine
    const { maxModelLen } = engine.model
    const long = Array.from({ length: maxModelLen + 9 }, (_, i) => i % 40)
    const keep = (truncatePromptTokens: number) =>
      complete({ promptTokenIds: long, params: { ...greedy, maxTokens: 1, truncatePromptTokens } })
    assert.deepStrictEqual((yield* keep(3)).promptTokenIds, long.slice(-3))
    assert.deepStrictEqual((yield* keep(-1)).promptTokenIds, long.slice(-(maxModelLen - 1)))
    for (const count of [0, maxModelLen + 1])
      assert.deepInclude(yield* Effect.flip(keep(count)), { _tag: "InvalidRequest", field: "truncatePromptTokens" })
  }),
  "answers a request the same alone and among others": Effect.gen(function* () {
    const alone = yield* complete(request(10))
    const others = Array.from({ length: 7 }, (_, n) => request(3 + n, { promptTokenIds: [n + 2, 9, n] }))
    const among = yield* Effect.forEach([...others, request(10), ...others], complete, { concurrency: "unbounded" })
    assert.deepStrictEqual(among[7]?.outputs, alone.outputs)
  })
}

const beams = {
  "one beam is greedy decoding": Effect.gen(function* () {
    const { sequences } = yield* beamSearch({
      promptTokenIds: prompt,
      params: { beamWidth: 1, maxTokens: 8, ignoreEos: true }
    })
    const [output] = (yield* complete(request(8))).outputs
    assert.strictEqual(sequences.length, 1)
    assert.deepStrictEqual(sequences[0]?.outputTokenIds, output?.tokenIds)
    assert.strictEqual(sequences[0]?.cumulativeLogprob, output?.cumulativeLogprob)
    assert.strictEqual(sequences[0]?.finishReason, "length")
  }),
  "gives as many beams as were asked for, no two alike, the best score first": Effect.gen(function* () {
    const params = { beamWidth: 5, maxTokens: 20, ignoreEos: true, lengthPenalty: 0.7 }
    const { sequences } = yield* beamSearch({ promptTokenIds: prompt, params })
    assert.strictEqual(new Set(sequences.map(({ outputTokenIds }) => outputTokenIds.join())).size, 5)
    sequences.forEach(({ tokenIds, outputTokenIds, cumulativeLogprob, score, finishReason }, at) => {
      assert.deepStrictEqual(tokenIds, [...prompt, ...outputTokenIds])
      assert.strictEqual(outputTokenIds.length, 20)
      assert.strictEqual(finishReason, "length")
      // An end-of-sequence token at the end, though ignored, does not count.
      const scores = [25, 24].map((length) => cumulativeLogprob / length ** 0.7)
      assert.isTrue(scores.some((expected) => Math.abs(expected - score) < 1e-12))
      assert.isTrue(at === 0 || score <= sequences[at - 1]!.score)
    })
    yield* idle
  }),
  "gives the blocks of a beam search back when it is interrupted, and what it has when it is aborted": Effect.gen(
    function* () {
      const engine = yield* Engine
      const asked = {
        promptTokenIds: prompt,
        params: { beamWidth: 4, maxTokens: engine.model.maxModelLen, ignoreEos: true }
      }
      const interrupted = yield* Effect.fork(beamSearch(asked))
      yield* Effect.sleep("30 millis")
      yield* Fiber.interrupt(interrupted)
      yield* idle
      const aborted = yield* Effect.fork(beamSearch({ ...asked, requestId: "beams" }))
      yield* Effect.sleep("30 millis")
      yield* engine.abort("beams")
      const { requestId, sequences } = yield* Fiber.join(aborted)
      assert.strictEqual(requestId, "beams")
      assert.isTrue(sequences.length > 0 && sequences.every(({ finishReason }) => finishReason === "abort"))
      yield* idle
    }
  ),
  "refuses a beam search that it cannot make, by name": Effect.gen(function* () {
    const engine = yield* Engine
    const expectations: ReadonlyArray<readonly [BeamSearchRequest, string]> = [
      [{ promptTokenIds: prompt, params: { beamWidth: 0 } }, "beamWidth"],
      [{ promptTokenIds: prompt, params: { beamWidth: engine.model.kvBlocks + 1 } }, "beamWidth"],
      [{ promptTokenIds: prompt, params: { maxTokens: 0 } }, "maxTokens"],
      [{ promptTokenIds: prompt, params: { temperature: 3 } }, "temperature"],
      [{ promptTokenIds: prompt, params: { lengthPenalty: Number.NaN } }, "lengthPenalty"],
      [{ promptTokenIds: [], params: { beamWidth: 2 } }, "prompt"],
      [{ promptTokenIds: prompt, deadline: 0 }, "deadline"]
    ]
    for (const [given, field] of expectations)
      assert.deepInclude(yield* Effect.flip(beamSearch(given)), { _tag: "InvalidRequest", field })
    yield* idle
  })
}

const ends = {
  "gives the blocks back when the reader is interrupted": Effect.gen(function* () {
    const engine = yield* Engine
    const reader = yield* Effect.fork(Stream.runDrain(generate(request(engine.model.maxModelLen))))
    yield* Effect.sleep("30 millis")
    yield* Fiber.interrupt(reader)
    yield* idle
  }),
  "gives the blocks back when the reader has had enough": Effect.gen(function* () {
    const engine = yield* Engine
    const some = yield* Stream.runCollect(Stream.take(generate(request(engine.model.maxModelLen)), 2))
    assert.strictEqual(Chunk.size(some), 2)
    yield* idle
  }),
  "abort(id) ends the stream with finish reason abort": Effect.gen(function* () {
    const engine = yield* Engine
    const reader = yield* Effect.fork(deltasOf(request(engine.model.maxModelLen, { requestId: "mine" })))
    yield* Effect.sleep("30 millis")
    yield* engine.abort("mine")
    yield* engine.abort("nobody's")
    const deltas = yield* Fiber.join(reader)
    assert.strictEqual(deltas.at(-1)?.finishReason, "abort")
    assert.strictEqual(deltas.filter(({ finishReason }) => finishReason !== null).length, 1)
    yield* idle
  }),
  "refuses what it cannot serve, by name, and goes on serving": Effect.gen(function* () {
    const engine = yield* Engine
    const { maxModelLen, vocabSize } = engine.model
    const refused = (given: unknown) => Effect.flip(complete(given as GenerateRequest))
    const expectations: ReadonlyArray<readonly [unknown, string, string?]> = [
      [{ promptTokenIds: [] }, "InvalidRequest", "prompt"],
      [{}, "InvalidRequest", "prompt"],
      [{ prompt: "a", promptTokenIds: [1] }, "InvalidRequest", "prompt"],
      [{ promptTokenIds: [1, vocabSize] }, "InvalidRequest", "promptTokenIds[1]"],
      [{ promptTokenIds: [-1] }, "InvalidRequest", "promptTokenIds[0]"],
      [{ promptTokenIds: [1.5] }, "InvalidRequest", "promptTokenIds[0]"],
      [{ promptTokenIds: new Array(maxModelLen).fill(1) }, "PromptTooLong"],
      [{ promptTokenIds: [1], params: { temperature: Number.NaN } }, "InvalidRequest", "temperature"],
      [{ promptTokenIds: [1], params: { stop: [""] } }, "InvalidRequest"],
      [{ promptTokenIds: [1], params: { maxtokens: 3 } }, "InvalidRequest", "maxtokens"],
      [{ promptTokenIds: [1], promt: "x" }, "InvalidRequest", "promt"],
      [{ promptTokenIds: [1], params: { n: 0 } }, "InvalidRequest", "n"],
      [{ promptTokenIds: [1], params: { n: 3, bestOf: 2 } }, "InvalidRequest", "bestOf"],
      [{ promptTokenIds: [1], params: { n: engine.model.kvBlocks + 1 } }, "InvalidRequest", "n"],
      [{ promptTokenIds: [1], deadline: 0 }, "InvalidRequest", "deadline"],
      [{ promptTokenIds: [1], deadline: -5 }, "InvalidRequest", "deadline"]
    ]
    for (const [given, tag, field] of expectations) {
      const error = yield* refused(given)
      assert.strictEqual(error._tag, tag, JSON.stringify(given)?.slice(0, 80))
      if (field !== undefined && error._tag === "InvalidRequest") assert.strictEqual(error.field, field)
    }
    assert.strictEqual((yield* complete(request(2))).outputs[0]?.tokenIds.length, 2)
    yield* idle
  }),
  "refuses an id that is in flight": Effect.gen(function* () {
    const error = yield* Effect.scoped(
      Effect.gen(function* () {
        const engine = yield* Engine
        yield* engine.submit(request(engine.model.maxModelLen, { requestId: "one" }))
        return yield* Effect.flip(engine.submit(request(1, { requestId: "one" })))
      })
    )
    assert.strictEqual(error._tag, "InvalidRequest")
    yield* idle
    yield* complete(request(1, { requestId: "one" }))
  })
}

/** Every promise that an Engine makes whatever runs behind it: a suite over any layer that provides one. */
export const engineContract = <E>(name: string, layer: Layer.Layer<Engine, E | StartError>): void => {
  describe(`${name} keeps the engine's contract`, () => {
    const promises: Record<string, Effect.Effect<unknown, unknown, Engine>> = { ...streams, ...beams, ...ends }
    layerSuite(layer, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
      for (const [promise, test] of Object.entries(promises)) it.effect(promise, () => test)
    })

    it.live("closed, ends every stream with EngineClosed and takes no more work", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layer, scope)
        const engine = yield* Effect.provide(Engine, context)
        const reader = yield* Effect.fork(
          Effect.provide(Effect.flip(deltasOf(request(engine.model.maxModelLen))), context)
        )
        yield* Effect.sleep("30 millis")
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* Fiber.join(reader))._tag, "EngineClosed")
        const refused = yield* Effect.flip(Effect.provide(complete(request(1)), context))
        assert.strictEqual(refused._tag, "EngineClosed")
        assert.deepStrictEqual(yield* engine.health, { status: "closed" })
      })
    )

    it.live("two engines in one graph share neither requests nor blocks", () =>
      Effect.scoped(
        Effect.gen(function* () {
          const one = yield* Effect.flatMap(Layer.build(Layer.fresh(layer)), (context) =>
            Effect.provide(Engine, context)
          )
          const two = yield* Effect.flatMap(Layer.build(Layer.fresh(layer)), (context) =>
            Effect.provide(Engine, context)
          )
          yield* one.submit(request(one.model.maxModelLen, { requestId: "same" }))
          yield* two.submit(request(two.model.maxModelLen, { requestId: "same" }))
          const before = yield* two.metrics
          yield* one.abort("same")
          yield* Effect.sleep("50 millis")
          assert.strictEqual((yield* one.metrics).running, 0)
          const after = yield* two.metrics
          assert.strictEqual(after.running + after.parked + after.waiting, 1)
          assert.strictEqual(after.kvBlocksTotal, before.kvBlocksTotal)
          assert.isBelow(after.kvBlocksFree, after.kvBlocksTotal)
        })
      )
    )
  })
}
