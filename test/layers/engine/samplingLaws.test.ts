import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import type { SamplingInput } from "../../../src/domain/sampling/samplingParams.ts"
import { LLM } from "../../../src/LLM.ts"
import { layerNull } from "../../../src/layers/compose/null.ts"

/** Letters, and the id that ends a reply of the null model. */
const letter = fc.integer({ min: 97, max: 104 })
const end = 256
const word = fc.string({ unit: fc.constantFrom(..."abcdefgh"), minLength: 1, maxLength: 3 })
const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined })
const scores = fc.float({ min: -150, max: 150, noNaN: true })

const params: fc.Arbitrary<SamplingInput> = fc
  .record({
    maxTokens: fc.integer({ min: 1, max: 24 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    presencePenalty: optional(fc.double({ min: -2, max: 2, noNaN: true })),
    frequencyPenalty: optional(fc.double({ min: -2, max: 2, noNaN: true })),
    repetitionPenalty: optional(fc.double({ min: 0, minExcluded: true, max: 1e6, noNaN: true })),
    badWords: optional(fc.array(word, { maxLength: 4 })),
    logitBias: optional(fc.dictionary(letter.map(String), scores, { maxKeys: 4 })),
    allowedTokenIds: optional(fc.uniqueArray(fc.oneof(letter, fc.constant(end)), { minLength: 1 })),
    stopTokenIds: optional(fc.array(letter, { maxLength: 2 })),
    ignoreEos: optional(fc.boolean()),
    logprobs: optional(fc.integer({ min: 0, max: 4 }))
  })
  .map(({ share, ...given }) => ({ ...given, minTokens: Math.round(share * given.maxTokens) }))

/** The reply, or the name of the error: words, allowed ids and minTokens may leave nothing to draw. */
const reply = async (llm: LLM, prompt: string, given: SamplingInput) => {
  try {
    const [output] = await llm.generate(prompt, given)
    return output!.outputs[0]!
  } catch (error) {
    return (error as { readonly _tag: string })._tag
  }
}

describe("whatever is asked", () => {
  it("is kept: lengths, allowed ids, bad words, ends before minTokens; and neighbours change nothing", async () => {
    await using llm = await LLM.fromLayer(layerNull({ maxNumSeqs: 4 }))
    let replies = 0
    const check = async (given: ReadonlyArray<SamplingInput>) => {
      const together = await Promise.all(given.map((each, i) => reply(llm, `prompt ${i}`, each)))
      for (const [i, each] of given.entries()) {
        const output = together[i]!
        expect(await reply(llm, `prompt ${i}`, each)).toEqual(output)
        if (typeof output === "string") {
          expect(["InvalidRequest", "NumericalFault"]).toContain(output)
          expect(each.allowedTokenIds).toBeDefined()
          continue
        }
        replies++
        const { tokenIds } = output
        expect(tokenIds.length).toBeLessThanOrEqual(each.maxTokens!)
        expect(tokenIds.length).toBeGreaterThanOrEqual(each.minTokens!)
        const { allowedTokenIds } = each
        if (allowedTokenIds !== undefined) expect(tokenIds.every((id) => allowedTokenIds.includes(id))).toBe(true)
        for (const bad of each.badWords ?? []) expect(`,${tokenIds},`).not.toContain(`,${[...Buffer.from(bad)]},`)
        const ends = [end, ...(each.stopTokenIds ?? [])]
        expect(tokenIds.slice(0, each.minTokens).filter((id) => ends.includes(id))).toEqual([])
        if (output.finishReason === "stop") expect(ends).toContain(tokenIds.at(-1))
        else expect(tokenIds.length).toBe(each.maxTokens)
      }
    }
    await fc.assert(fc.asyncProperty(fc.array(params, { minLength: 1, maxLength: 6 }), check), { numRuns: 30, seed: 5 })
    expect(replies).toBeGreaterThan(40)
  }, 30_000)
})
