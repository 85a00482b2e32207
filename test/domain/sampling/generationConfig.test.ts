import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { generationDefaults, noDefaults, readGenerationConfig } from "../../../src/domain/sampling/generationConfig.ts"

const read = (json: Record<string, unknown>) => Either.getOrThrow(readGenerationConfig(json))

describe("generation_config.json", () => {
  it("gives the values that vLLM takes, and no meaning to do_sample", () => {
    const json = { do_sample: false, temperature: 0.7, top_p: 0.95, top_k: 20, min_p: null, max_new_tokens: 9, x: 1 }
    expect(read(json)).toEqual({ params: { temperature: 0.7, topP: 0.95, topK: 20, maxTokens: 9 }, eosTokenIds: [] })
  })

  it("takes one end-of-text id or several", () => {
    expect(read({ eos_token_id: 2 }).eosTokenIds).toEqual([2])
    expect(read({ eos_token_id: [2, 0] }).eosTokenIds).toEqual([2, 0])
    expect(read({ eos_token_id: null }).eosTokenIds).toEqual([])
  })

  it("names every entry that makes no sense", () => {
    const problems = Either.getOrThrow(
      Either.flip(readGenerationConfig({ temperature: "hot", top_p: 3, eos_token_id: "</s>" }))
    )
    expect(problems.map((problem) => problem.split(" is ")[0])).toEqual([
      "generation_config.json: temperature",
      "generation_config.json: top_p",
      "generation_config.json: eos_token_id"
    ])
  })

  const checkpoint = { params: { temperature: 0.7, topK: 20 }, eosTokenIds: [2] }

  it('keeps only the end-of-text ids under "vllm"', () => {
    const defaults = generationDefaults(checkpoint, { generationConfig: "vllm" })
    expect(defaults).toEqual(Either.right({ params: {}, eosTokenIds: [2] }))
  })

  it("lets overrides win, in either spelling", () => {
    const overrideGenerationConfig = { temperature: 0.1, top_p: 0.5, minP: 0.2 }
    expect(generationDefaults(checkpoint, { overrideGenerationConfig })).toEqual(
      Either.right({ params: { temperature: 0.1, topK: 20, topP: 0.5, minP: 0.2 }, eosTokenIds: [2] })
    )
  })

  it("refuses overrides that it does not know or that make no sense", () => {
    const refusal = (overrideGenerationConfig: Record<string, unknown>) =>
      Either.getOrThrow(Either.flip(generationDefaults(noDefaults, { overrideGenerationConfig })))
    expect(refusal({ temprature: 1 })).toMatchObject({
      field: "overrideGenerationConfig.temprature",
      mend: "Did you mean temperature?"
    })
    expect(refusal({ top_p: 7 })).toMatchObject({ field: "overrideGenerationConfig.top_p", given: "7" })
  })
})
