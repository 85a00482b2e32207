import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { fieldsOf } from "../../../src/domain/config/fields.ts"
import { type GenerationDefaults, noDefaults } from "../../../src/domain/sampling/generationConfig.ts"
import { resolveSampling, seedOf } from "../../../src/domain/sampling/resolveSampling.ts"
import type { SamplingFacts } from "../../../src/domain/sampling/samplingFacts.ts"
import { SamplingFields, SamplingParams } from "../../../src/domain/sampling/samplingParams.ts"

/** Letters are tokens, and so is a letter behind a space: "ab" is 1, 2 and " ab" is 28, 2. */
const letters = {
  encode: (text: string) =>
    [...text.matchAll(/ ?[a-z]|\s/g)].map(([piece]) =>
      piece.length === 2
        ? piece.charCodeAt(1) - 69
        : piece === " "
          ? 55
          : piece === "\n"
            ? 56
            : piece.charCodeAt(0) - 96
    )
}
/** Ids from 100 to 109 have text and no logit. */
const facts: SamplingFacts = {
  vocabSize: 110,
  modelVocabSize: 100,
  maxLogprobs: 20,
  eosTokenIds: [2],
  tokenizer: letters,
  seed: 0
}
const accept = (given: unknown, defaults: GenerationDefaults = noDefaults, f = facts, arrival = 0) =>
  Either.getOrThrow(resolveSampling(given, defaults, f, arrival))
const refuse = (given: unknown, defaults: GenerationDefaults = noDefaults, f = facts) =>
  Either.getOrThrow(Either.flip(resolveSampling(given, defaults, f, 0)))

describe("resolveSampling", () => {
  it("fills in vLLM's defaults", () => {
    const { draw, limits, ...rest } = accept(undefined)
    expect(draw).toMatchObject({ temperature: 1, topK: 0, topP: 1, minP: 0, logprobs: -1, promptLogprobs: -1 })
    expect(limits).toEqual({ maxTokens: 16, eosTokenIds: new Set([2]), stopTokenIds: new Set(), ignoreEos: false })
    expect(draw.edits).toBeUndefined()
    expect(rest).toEqual({
      minTokens: 0,
      stop: [],
      includeStopStrInOutput: false,
      detokenize: true,
      skipSpecialTokens: true,
      spacesBetweenSpecialTokens: true,
      outputKind: "delta",
      n: 1,
      candidates: 1,
      truncatePromptTokens: undefined
    })
  })

  it("draws bestOf replies for n, where the whole is waited for", () => {
    expect(accept({ n: 2, bestOf: 5, outputKind: "final" })).toMatchObject({ n: 2, candidates: 5 })
    expect(accept({ n: 3 })).toMatchObject({ n: 3, candidates: 3 })
    expect(accept({ n: 3, bestOf: 3 })).toMatchObject({ n: 3, candidates: 3 })
    expect(refuse({ n: 3, bestOf: 2, outputKind: "final" })).toMatchObject({
      field: "bestOf",
      expected: "at least n (3)"
    })
    expect(refuse({ n: 1, bestOf: 2 }).mend).toContain("outputKind")
  })

  it("accepts every default that the Schema states", () => {
    const stated = fieldsOf(SamplingFields.ast).filter((field) => field.default !== undefined)
    expect(stated.length).toBeGreaterThan(15)
    const all = Object.fromEntries(stated.map((field) => [field.name, field.default]))
    expect(accept(all)).toEqual(accept({}))
  })

  it("lets the request win over the checkpoint, and the checkpoint over the defaults", () => {
    const defaults = { params: { temperature: 0.7, topP: 0.95, maxTokens: 200 }, eosTokenIds: [0, 2] }
    const { draw, limits } = accept({ topP: 0.5, temperature: undefined }, defaults)
    expect(draw).toMatchObject({ temperature: 0.7, topP: 0.5 })
    expect(limits.maxTokens).toBe(200)
    expect([...limits.eosTokenIds].sort()).toEqual([0, 2])
  })

  it("raises small temperatures, so that only 0 is greedy, and drops filters that greedy choice makes idle", () => {
    expect(accept({ temperature: 1e-5 }).draw.temperature).toBe(0.01)
    expect(accept({ temperature: 0, topK: 5, topP: 0.5, minP: 0.1 }).draw).toMatchObject({
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0
    })
  })

  it("spells an idle topK one way", () => {
    for (const topK of [-1, 0, 110, 1000]) expect(accept({ topK }).draw.topK).toBe(0)
    expect(accept({ topK: 99 }).draw.topK).toBe(99)
  })

  it("seeds by the request where it says so, else by engine seed and arrival", () => {
    expect(accept({ seed: 7 }).draw.seed).toBe(7n)
    expect(accept({ seed: -2 }).draw.seed).toBe(2n ** 64n - 2n)
    expect(accept({}, noDefaults, facts, 3).draw.seed).toBe(seedOf(0, 3))
    expect(accept({ seed: -1 }, noDefaults, facts, 3).draw.seed).toBe(seedOf(0, 3))
    const seeds = new Set([0, 1, 2].flatMap((seed) => Array.from({ length: 100 }, (_, at) => seedOf(seed, at))))
    expect(seeds.size).toBe(300)
  })

  it("takes one stop text or several", () => {
    expect(accept({ stop: "." }).stop).toEqual(["."])
    expect(accept({ stop: [".", "\n"] }).stop).toEqual([".", "\n"])
  })

  it.each([
    [{ temperature: 2.1 }, "temperature"],
    [{ temperature: -0.1 }, "temperature"],
    [{ temperature: Number.NaN }, "temperature"],
    [{ topP: 0 }, "topP"],
    [{ topP: Number.POSITIVE_INFINITY }, "topP"],
    [{ topK: -2 }, "topK"],
    [{ topK: 1.5 }, "topK"],
    [{ minP: 1.1 }, "minP"],
    [{ seed: 0.5 }, "seed"],
    [{ stop: "" }, "stop"],
    [{ stop: ["a", ""] }, "stop"],
    [{ stopTokenIds: [5, 110] }, "stopTokenIds[1]"],
    [{ stopTokenIds: [-1] }, "stopTokenIds[0]"],
    [{ maxTokens: 0 }, "maxTokens"],
    [{ logprobs: 21 }, "logprobs"],
    [{ promptLogprobs: 21 }, "promptLogprobs"],
    [{ logprobs: -2 }, "logprobs"],
    [{ logprobs: -1 }, "logprobs"],
    [{ promptLogprobs: -1 }, "promptLogprobs"],
    [{ presencePenalty: 2.1 }, "presencePenalty"],
    [{ frequencyPenalty: -2.1 }, "frequencyPenalty"],
    [{ repetitionPenalty: 0 }, "repetitionPenalty"],
    [{ repetitionPenalty: Number.POSITIVE_INFINITY }, "repetitionPenalty"],
    [{ minTokens: -1 }, "minTokens"],
    [{ minTokens: 17 }, "minTokens"],
    [{ minTokens: 5, maxTokens: 4 }, "minTokens"],
    [{ logitBias: { 110: 1 } }, "logitBias.110"],
    [{ logitBias: { "-1": 1 } }, "logitBias.-1"],
    [{ logitBias: { x: 1 } }, "logitBias.x"],
    [{ logitBias: { "": 1 } }, "logitBias."],
    [{ logitBias: { 5: Number.NaN } }, "logitBias.5"],
    [{ logitBias: { 5: "1" } }, "logitBias.5"],
    [{ logitBias: [1] }, "logitBias"],
    [{ allowedTokenIds: [] }, "allowedTokenIds"],
    [{ allowedTokenIds: [5, 110] }, "allowedTokenIds[1]"],
    [{ allowedTokenIds: [100, 109] }, "allowedTokenIds"],
    [{ allowedTokenIds: [2, 7], stopTokenIds: [7], minTokens: 1 }, "allowedTokenIds"],
    [{ badWords: [""] }, "badWords[0]"],
    [{ badWords: ["a", "1"] }, "badWords[1]"],
    [{ outputKind: "all" }, "outputKind"],
    [{ structuredOutputs: { jsn: "{}" } }, "structuredOutputs.jsn"],
    [7, "(all of them)"]
  ])("refuses %j by naming %s", (given, field) => {
    const error = refuse(given)
    expect(error._tag).toBe("InvalidRequest")
    expect(error.field).toBe(field)
    expect(error.message).toContain(error.mend)
  })

  it("suggests the name that was meant", () => {
    expect(refuse({ max_tokens: 5 }).mend).toBe("Did you mean maxTokens?")
  })

  it("hands on what the reply must conform to, and refuses it beside what might leave nothing to draw", () => {
    const structuredOutputs = { regex: "a" }
    expect(accept({ structuredOutputs }).structuredOutputs).toEqual(structuredOutputs)
    expect(refuse({ structuredOutputs, allowedTokenIds: [3] }).field).toBe("structuredOutputs")
  })

  it("takes the checkpoint's repetition penalty, unless the request has its own", () => {
    const defaults = { params: { repetitionPenalty: 1.1 }, eosTokenIds: [] }
    expect(accept({}, defaults).draw.edits).toMatchObject({ repetitionPenalty: 1.1, presencePenalty: 0 })
    expect(accept({ repetitionPenalty: 1 }, defaults).draw.edits).toBeUndefined()
  })

  it("asks for no edit where every parameter stands at what it does by itself", () => {
    const idle = {
      presencePenalty: 0,
      frequencyPenalty: 0,
      repetitionPenalty: 1,
      badWords: [],
      minTokens: 0,
      logitBias: {}
    }
    expect(accept(idle).draw.edits).toBeUndefined()
    // An id without a logit cannot be written anyway.
    expect(accept({ logitBias: { 105: 3 } }).draw.edits).toBeUndefined()
    expect(accept({ minTokens: 3 }, noDefaults, { ...facts, eosTokenIds: [] }).draw.edits).toBeUndefined()
  })

  it("gives all logprobs where maxLogprobs allows as many, or -1", () => {
    for (const maxLogprobs of [100, -1])
      expect(accept({ logprobs: -1, promptLogprobs: -1 }, noDefaults, { ...facts, maxLogprobs }).draw).toMatchObject({
        logprobs: 100,
        promptLogprobs: 100
      })
    expect(accept({ logprobs: 0 }).draw.logprobs).toBe(0)
  })

  it("holds biases to 100 and keeps them by id", () => {
    const { biasIds, biasValues } = accept({ logitBias: { 5: 101, 7: -1e9, 9: 0.5, 109: 3 } }).draw.edits!
    expect([...biasIds]).toEqual([5, 7, 9])
    expect([...biasValues]).toEqual([100, -100, 0.5])
  })

  it("makes bits of the allowed ids, those without a logit passed over", () => {
    const { allowed } = accept({ allowedTokenIds: [0, 31, 32, 99, 105] }).draw.edits!
    expect([...allowed!]).toEqual([0x80000001, 1, 0, 8])
  })

  it("forbids every end of the reply before minTokens, also where ignoreEos goes on after it", () => {
    const { minTokens, early } = accept({ minTokens: 4, stopTokenIds: [7, 2, 105], ignoreEos: true }).draw.edits!
    expect(minTokens).toBe(4)
    expect([...early].sort()).toEqual([2, 7])
    expect(accept({ minTokens: 4 }).minTokens).toBe(4)
  })

  it("writes bad words as they begin a text and as they follow a space", () => {
    expect(accept({ badWords: ["ab", "  c"] }).draw.edits?.badWords).toEqual([[1, 2], [28, 2], [3], [30]])
    expect(accept({ badWords: [" "] }).draw.edits?.badWords).toEqual([[55]])
    expect(accept({ badWords: ["\n"] }).draw.edits?.badWords).toEqual([[56]])
    expect(refuse({ badWords: ["a"] }, noDefaults, { ...facts, tokenizer: undefined }).expected).toContain(
      "skipTokenizerInit"
    )
  })

  it("keeps penalties within what float32 logits can take", () => {
    expect(accept({ repetitionPenalty: 1e300 }).draw.edits?.repetitionPenalty).toBe(1e30)
    expect(accept({ repetitionPenalty: 1e-300 }).draw.edits?.repetitionPenalty).toBe(1e-30)
  })

  it("refuses stop texts where there is no text to find them in", () => {
    expect(refuse({ stop: "x", detokenize: false }).field).toBe("stop")
    expect(refuse({ stop: "x" }, noDefaults, { ...facts, tokenizer: undefined }).expected).toContain(
      "skipTokenizerInit"
    )
    expect(accept({}, noDefaults, { ...facts, tokenizer: undefined }).detokenize).toBe(false)
  })
})

describe("SamplingParams", () => {
  it("holds what was given and nothing else, and serves wherever a plain object does", () => {
    const params = new SamplingParams({ temperature: 0, maxTokens: 5 })
    expect({ ...params }).toEqual({ temperature: 0, maxTokens: 5 })
    expect(accept(params)).toEqual(accept({ temperature: 0, maxTokens: 5 }))
  })

  it("throws the InvalidRequest itself", () => {
    expect(() => new SamplingParams({ temperature: 9 })).toThrow(expect.objectContaining({ _tag: "InvalidRequest" }))
  })
})
