import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { fieldsOf } from "../../../src/domain/config/fields.ts"
import { type GenerationDefaults, noDefaults } from "../../../src/domain/sampling/generationConfig.ts"
import { resolveSampling, type SamplingFacts, seedOf } from "../../../src/domain/sampling/resolveSampling.ts"
import { SamplingFields, SamplingParams } from "../../../src/domain/sampling/samplingParams.ts"

const facts: SamplingFacts = { vocabSize: 100, maxLogprobs: 20, eosTokenIds: [2], tokenizer: true, seed: 0 }
const accept = (given: unknown, defaults: GenerationDefaults = noDefaults, f = facts, arrival = 0) =>
  Either.getOrThrow(resolveSampling(given, defaults, f, arrival))
const refuse = (given: unknown, defaults: GenerationDefaults = noDefaults, f = facts) =>
  Either.getOrThrow(Either.flip(resolveSampling(given, defaults, f, 0)))

describe("resolveSampling", () => {
  it("fills in vLLM's defaults", () => {
    const { draw, limits, ...rest } = accept(undefined)
    expect(draw).toMatchObject({ temperature: 1, topK: 0, topP: 1, minP: 0, logprobs: -1, promptLogprobs: -1 })
    expect(limits).toEqual({ maxTokens: 16, eosTokenIds: new Set([2]), stopTokenIds: new Set(), ignoreEos: false })
    expect(rest).toEqual({
      stop: [],
      includeStopStrInOutput: false,
      detokenize: true,
      skipSpecialTokens: true,
      spacesBetweenSpecialTokens: true,
      outputKind: "delta"
    })
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
    for (const topK of [-1, 0, 100, 1000]) expect(accept({ topK }).draw.topK).toBe(0)
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
    [{ stopTokenIds: [5, 100] }, "stopTokenIds[1]"],
    [{ stopTokenIds: [-1] }, "stopTokenIds[0]"],
    [{ maxTokens: 0 }, "maxTokens"],
    [{ logprobs: 21 }, "logprobs"],
    [{ promptLogprobs: 21 }, "promptLogprobs"],
    [{ logprobs: -2 }, "logprobs"],
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

  it.each([
    { n: 2 },
    { bestOf: 3 },
    { presencePenalty: 0.5 },
    { frequencyPenalty: -1 },
    { repetitionPenalty: 1.1 },
    { badWords: ["x"] },
    { minTokens: 1 },
    { logprobs: -1 },
    { promptLogprobs: -1 },
    { truncatePromptTokens: 5 },
    { logitBias: { "5": 1 } },
    { allowedTokenIds: [5] },
    { structuredOutputs: { regex: "a" } }
  ])("refuses %j, which nothing serves yet, rather than ignore it", (given) => {
    expect(refuse(given)).toMatchObject({ field: Object.keys(given)[0] })
    expect(refuse(given).mend).toContain("does not serve it yet")
  })

  it("says so when it is the checkpoint that asks for what is not served", () => {
    const defaults = { params: { repetitionPenalty: 1.1 }, eosTokenIds: [] }
    expect(refuse({}, defaults).given).toContain("generation_config.json")
    expect(accept({ repetitionPenalty: 1 }, defaults).draw.temperature).toBe(1)
  })

  it("refuses stop texts where there is no text to find them in", () => {
    expect(refuse({ stop: "x", detokenize: false }).field).toBe("stop")
    expect(refuse({ stop: "x" }, noDefaults, { ...facts, tokenizer: false }).expected).toContain("skipTokenizerInit")
    expect(accept({}, noDefaults, { ...facts, tokenizer: false }).detokenize).toBe(false)
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
