import { describe, expect, it } from "vitest"
import { LLM } from "../../src/index.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"
import { answers, distance, poolingNames, poolingOptions, readPoolingGolden } from "../support/poolingGolden.ts"

const devices = nativeBuilt() ? (["reference", "cpu"] as const) : (["reference"] as const)

describe.each(devices)("pooling on %s", (device) => {
  it.each(poolingNames)("%s: the answers are the reference's, in a batch and alone", async (name) => {
    await using llm = await LLM.create({ ...poolingOptions(name), device, dtype: "float32" })
    const golden = readPoolingGolden(name)
    const texts = golden.cases.filter(({ output }) => output !== undefined)
    const batch = await answers(llm, { ...golden, cases: texts })
    for (const [at, { tokenIds, output }] of texts.entries()) {
      expect(batch[at]!.promptTokenIds).toEqual(tokenIds)
      expect(distance(batch[at]!.answer, output!)).toBeLessThanOrEqual(1e-4)
      // Bit for bit: neighbours change nothing.
      const [alone] = await answers(llm, { ...golden, cases: [texts[at]!] })
      expect(alone!.answer).toEqual(batch[at]!.answer)
    }
  })

  it("shorter embeddings are cut, then normalised", async () => {
    await using llm = await LLM.create({ ...poolingOptions("qwen3-embed"), device, dtype: "float32" })
    for (const { text, outputAtDimensions } of readPoolingGolden("qwen3-embed").cases)
      for (const [dimensions, wanted] of Object.entries(outputAtDimensions!)) {
        const [output] = await llm.embed(text!, { dimensions: Number(dimensions) })
        expect(distance(output!.outputs.embedding, wanted)).toBeLessThanOrEqual(1e-4)
      }
  })

  it("the prefix cache stands for tokens of which nothing is asked, and changes no bit", async () => {
    const text = "the mill stands by the river and the river turns the wheel ".repeat(4)
    await using last = await LLM.create({ ...poolingOptions("qwen3-embed"), device })
    const [first] = await last.embed(text)
    const [again] = await last.embed(text)
    expect(again).toMatchObject({ outputs: first!.outputs })
    expect((await last.getMetrics()).prefixCacheHits).toBeGreaterThan(16)
    await using all = await LLM.create({ ...poolingOptions("qwen2-reward"), device })
    await all.reward(text)
    const [second] = await all.reward(text)
    expect(second!.outputs.data).toHaveLength(second!.promptTokenIds.length)
    expect((await all.getMetrics()).prefixCacheHits).toBe(0)
  })

  it("late interaction sums the best of each query token", async () => {
    await using llm = await LLM.create({ ...poolingOptions("colbert"), device, dtype: "float32" })
    const pairs = readPoolingGolden("colbert").cases.filter(({ texts }) => texts !== undefined)
    expect(pairs.length).toBeGreaterThan(0)
    for (const { texts, score } of pairs) {
      const [output] = await llm.score(texts![0], texts![1])
      expect(Math.abs(output!.outputs.score - score!)).toBeLessThanOrEqual(1e-4 * texts![0].length)
    }
  })
})
