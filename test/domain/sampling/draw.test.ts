import { describe, expect, it } from "vitest"
import { packEdits } from "../../../src/domain/batch/packEdits.ts"
import { type DrawParams, drawToken, drawWeights, pickWeighted } from "../../../src/domain/sampling/draw.ts"
import { editRow, maskRow } from "../../../src/domain/sampling/edit.ts"
import { rowOf, type SamplingCase, samplingGolden } from "../../support/samplingGolden.ts"

const plain: DrawParams = { temperature: 1, topK: 0, topP: 1, minP: 0, seedLow: 0, seedHigh: 0, outputIndex: 0 }

/** What a row of its own would draw from. */
const weightsOf = (golden: SamplingCase): Float32Array => {
  const row = rowOf(golden, 0)
  const edits = packEdits([row], 1)
  const logits = Float32Array.from(samplingGolden.vectors[golden.logits]!)
  maskRow(logits, edits, 0)
  editRow(logits, edits, 0, golden.outputTokenIds.at(-1) ?? -1)
  return drawWeights(logits, {
    ...plain,
    ...row.sequence.draw,
    temperature: Math.fround(row.sequence.draw.temperature)
  })
}

describe("what a row draws from", () => {
  for (const golden of samplingGolden.cases)
    it(`golden ${golden.name}`, () => {
      const weights = weightsOf(golden)
      const mass = weights.reduce((a, b) => a + b, 0)
      golden.probabilities.forEach((p, id) => {
        expect(Math.abs(weights[id]! / mass - p), `token ${id}`).toBeLessThan(1e-5)
        if (p === 0) expect(weights[id]! / mass, `token ${id} is masked`).toBeLessThan(1e-30)
        else if (p > 1e-30) expect(weights[id], `token ${id} is kept`).toBeGreaterThan(0)
      })
      // Far below the best, a kept token may weigh nothing in float32.
      const count = weights.filter((weight) => weight > 0).length
      expect(count).toBeLessThanOrEqual(golden.kept)
      expect(count).toBeGreaterThanOrEqual(golden.probabilities.filter((p) => p > 1e-30).length)
      if (golden.greedy) expect(weights[golden.argmax]).toBe(1)
      const chosen = weights[golden.sampled.token]! / mass
      if (!golden.greedy && chosen > 0)
        expect(Math.abs(Math.log(chosen) - golden.processedLogprobOfSampled)).toBeLessThan(
          1e-5 * Math.max(1, -Math.log(chosen))
        )
    })

  it("keeps ties with the k-th logit, and of ties at topP's border the lower id", () => {
    const logits = Float32Array.of(1, 2, 2, 2, 0)
    expect([...drawWeights(logits, { ...plain, topK: 1 })].map((w) => w > 0)).toEqual([false, true, true, true, false])
    expect([...drawWeights(logits, { ...plain, topP: 0.3 })].map((w) => w > 0)).toEqual([
      false,
      true,
      true,
      false,
      false
    ])
  })
})

describe("a draw", () => {
  it("takes the greatest logit at temperature 0, of equals the lower id", () => {
    expect(drawToken(Float32Array.of(0, 3, 3, -1), { ...plain, temperature: 0, topK: 1, topP: 0.1 })).toBe(1)
  })

  it("depends on the seed and the output's index, and on nothing else", () => {
    const logits = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i))
    const drawn = (seedLow: number, seedHigh: number, outputIndex: number) =>
      drawToken(logits, { ...plain, seedLow, seedHigh, outputIndex })
    expect(drawn(5, 6, 7)).toBe(drawn(5, 6, 7))
    const differing = [drawn(6, 6, 7), drawn(5, 7, 7), drawn(5, 6, 8)].filter((token) => token !== drawn(5, 6, 7))
    expect(differing.length).toBeGreaterThan(1)
  })

  it("follows the probabilities: 100,000 draws", () => {
    const logits = Float32Array.of(0, 1, 2, -1, 0.5, 3, -4, 1.5)
    const weights = drawWeights(logits, { ...plain, temperature: Math.fround(1.3), topK: 6 })
    const mass = weights.reduce((a, b) => a + b, 0)
    const counts = new Array<number>(logits.length).fill(0)
    const draws = 100_000
    for (let i = 0; i < draws; i++)
      counts[drawToken(logits, { ...plain, temperature: Math.fround(1.3), topK: 6, seedLow: 11, outputIndex: i })]!++
    let chiSquare = 0
    weights.forEach((weight, id) => {
      if (weight === 0) expect(counts[id]).toBe(0)
      else chiSquare += (counts[id]! - (draws * weight) / mass) ** 2 / ((draws * weight) / mass)
    })
    expect(chiSquare).toBeLessThan(25.7) // 5 degrees of freedom: once in 10,000
  })

  it("never picks a token without weight, whatever the fraction", () => {
    const weights = new Float32Array(3000)
    weights[1500] = 1e-3
    weights[2500] = 1
    expect(pickWeighted(weights, 0)).toBe(1500)
    expect(pickWeighted(weights, 0.5)).toBe(2500)
    expect(pickWeighted(weights, 1 - 2 ** -53)).toBe(2500)
  })
})
