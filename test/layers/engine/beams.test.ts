import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { BeamSearchParams, Engine, LLM, SamplingParams } from "../../../src/index.ts"
import { beamSearch, complete } from "../../../src/layers/engine/derived.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"

const brook = { model: "models/brook", maxModelLen: 256, numThreads: 1 } as const
const prompt = Array.from({ length: 37 }, (_, i) => 3 + ((i * 31) % 900))

/** The same text as a prompt, read by an engine that has seen nothing: the sum of its output's logprobs. */
const reread = (tokenIds: ReadonlyArray<number>, from: number) =>
  Effect.map(
    complete({ promptTokenIds: tokenIds, params: { maxTokens: 1, promptLogprobs: 0 } }),
    ({ promptLogprobs }) => promptLogprobs!.slice(from).reduce((sum, entries) => sum + entries![0]!.logprob, 0)
  )

const search = (more: object = {}) =>
  beamSearch({ promptTokenIds: prompt, params: { beamWidth: 6, maxTokens: 40, ...more } })

const tokensOf = (sequences: ReadonlyArray<{ readonly outputTokenIds: ReadonlyArray<number> }>) =>
  sequences.map(({ outputTokenIds }) => outputTokenIds)

describe.skipIf(!nativeBuilt())("beam search over shared blocks", () => {
  it.live("each beam has to the bit the logprob that its tokens have when they are read as a prompt", () =>
    Effect.gen(function* () {
      const { sequences } = yield* search({ ignoreEos: true })
      for (const { tokenIds, cumulativeLogprob } of sequences)
        assert.strictEqual(cumulativeLogprob, yield* reread(tokenIds, prompt.length))
    }).pipe(Effect.provide(Engine.layer({ ...brook, device: "cpu" })))
  )

  it.live("finds the same beams where the blocks hold one beam alone, and everything is preempted", () =>
    Effect.gen(function* () {
      const wide = yield* search().pipe(Effect.provide(Engine.layer({ ...brook, device: "cpu" })))
      const narrow = { ...brook, maxModelLen: 96, device: "cpu", enablePrefixCaching: false } as const
      const kvCacheMemoryBytes = yield* bytesFor(narrow, 6 + 6)
      const [tight, preemptions] = yield* Effect.gen(function* () {
        const found = yield* Effect.all([search(), search(), search()], { concurrency: "unbounded" })
        return [found, (yield* (yield* Engine).metrics).preemptions] as const
      }).pipe(Effect.provide(Engine.layer({ ...narrow, kvCacheMemoryBytes })))
      assert.isAbove(preemptions, 10)
      for (const { sequences } of tight) assert.deepStrictEqual(tokensOf(sequences), tokensOf(wide.sequences))
    })
  )
})

/** Bytes of a KV cache of `blocks` blocks. */
const bytesFor = (options: Parameters<typeof Engine.layer>[0], blocks: number) =>
  Effect.map(Engine, ({ model }) => Math.ceil((model.cacheBytes / (model.kvBlocks + 1)) * (blocks + 1))).pipe(
    Effect.provide(Engine.layer(options))
  )

describe("beam search from outside", () => {
  const nulls = () => LLM.fromLayer(Engine.layerNull({ script: (_, index) => 97 + (index % 26) }))

  it("gives one output for each beam by generate, and sequences by beamSearch", async () => {
    await using llm = await nulls()
    const params = new BeamSearchParams({ beamWidth: 3, maxTokens: 4, ignoreEos: true })
    const [first, second] = await llm.generate(["ab", "cde"], [params, new SamplingParams({ maxTokens: 2 })])
    const [beams] = await llm.beamSearch("ab", params)
    assert.deepStrictEqual(
      first!.outputs.map(({ index, tokenIds, text, cumulativeLogprob, finishReason }) => ({
        index,
        tokenIds,
        text,
        cumulativeLogprob,
        finishReason
      })),
      beams!.sequences.map(({ outputTokenIds: tokenIds, text, cumulativeLogprob, finishReason }, index) => ({
        index,
        tokenIds,
        text,
        cumulativeLogprob,
        finishReason
      }))
    )
    assert.deepInclude(first, { prompt: "ab", finished: true, promptLogprobs: null })
    assert.deepStrictEqual(first!.promptTokenIds, [97, 98])
    assert.strictEqual(first!.outputs[0]!.text, "abcd")
    assert.strictEqual(second!.outputs[0]!.text, "ab")
  })

  it("ends a beam at the end-of-sequence token, which stays in its tokens and, asked for, in its text", async () => {
    await using llm = await LLM.fromLayer(Engine.layerNull({ script: (_, index) => (index === 2 ? 256 : 97 + index) }))
    const ask = async (includeStopStrInOutput: boolean) =>
      (await llm.beamSearch("x", { beamWidth: 2, maxTokens: 5, includeStopStrInOutput }))[0]!.sequences[0]!
    assert.deepInclude(await ask(false), { outputTokenIds: [97, 98, 256], text: "ab", finishReason: "stop" })
    assert.deepInclude(await ask(true), { outputTokenIds: [97, 98, 256], text: "ab", finishReason: "stop" })
    const { cumulativeLogprob, score } = await ask(false)
    assert.closeTo(score, cumulativeLogprob / 3, 1e-12)
  })

  it("is no stream and no chat, and says so", async () => {
    await using llm = await nulls()
    const params = new BeamSearchParams()
    const streamed = llm.stream("x", params)[Symbol.asyncIterator]().next()
    const chat = llm.chat([{ role: "user", content: "x" }], params)
    for (const [refused] of await Promise.all([streamed, chat].map((promise) => Promise.allSettled([promise]))))
      assert.deepInclude((refused as PromiseRejectedResult).reason, { _tag: "InvalidRequest", field: "params" })
    assert.throws(() => new BeamSearchParams({ beamWidth: 0 }), /beamWidth/)
    assert.throws(() => new BeamSearchParams(JSON.parse('{"beam_width":3}')), /Did you mean beamWidth/)
  })
})
