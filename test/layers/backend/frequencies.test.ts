import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { packEdits } from "../../../src/domain/batch/packEdits.ts"
import type { StepInput } from "../../../src/domain/batch/step.ts"
import { drawWeights } from "../../../src/domain/sampling/draw.ts"
import { editRow } from "../../../src/domain/sampling/edit.ts"
import * as Cpu from "../../../src/layers/backend/Cpu.ts"
import { Backend } from "../../../src/services/Backend.ts"
import { tablePlan } from "../../support/logitTable.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"
import { makeSequence } from "../../support/sequences.ts"

const vocabSize = 50
const logits = Float32Array.from({ length: vocabSize }, (_, i) => 3 * Math.sin(1 + 1.7 * i))
const draw = {
  temperature: Math.fround(1.3),
  topK: 40,
  topP: Math.fround(0.97),
  minP: Math.fround(0.002),
  edits: {
    allowed: undefined,
    badWords: [[7]],
    minTokens: 0,
    early: new Int32Array(0),
    biasIds: Int32Array.of(3, 4),
    biasValues: Float32Array.of(1.5, -1),
    repetitionPenalty: Math.fround(1.2),
    presencePenalty: 0.5,
    frequencyPenalty: Math.fround(0.3)
  }
}
const sequence = makeSequence({ id: 0, prompt: [1, 2, 2, 3], draw })
sequence.tokens.push(5, 6, 6, 0)

/** `count` rows over one token, drawing output token 4 under seeds from `first` on. */
const step = (first: number, count: number): StepInput => ({
  step: first / count,
  tokens: Int32Array.of(0),
  positions: Int32Array.of(0),
  sequenceStarts: Int32Array.of(0, 1),
  contextLengths: Int32Array.of(1),
  cacheGroups: [],
  copies: new Int32Array(0),
  rows: {
    index: new Int32Array(count),
    target: new Int32Array(count).fill(-1),
    logprobs: new Int32Array(count).fill(-1),
    temperature: new Float32Array(count).fill(draw.temperature),
    topK: new Int32Array(count).fill(draw.topK),
    topP: new Float32Array(count).fill(draw.topP),
    minP: new Float32Array(count).fill(draw.minP),
    seed: Uint32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? first + i / 2 : 77)),
    outputIndex: new Uint32Array(count).fill(4),
    edits: packEdits(
      Array.from({ length: count }, (_, row) => ({ row, outputIndex: 4, sequence })),
      count
    )
  }
})

describe.skipIf(!nativeBuilt())("the native sampler", () => {
  it.live("draws 100,000 tokens as often as their probabilities say", () =>
    Effect.gen(function* () {
      const capacity = { maxTokens: 1, maxSequences: 1, blocks: 1, blockSize: 16 }
      const plan = tablePlan(logits, vocabSize)
      const model = yield* (yield* Backend).load({ plan, tensors: { files: [], tensors: new Map() }, capacity })
      const draws = 100_000
      const rows = 5000
      const counts = new Array<number>(vocabSize).fill(0)
      for (let first = 0; first < draws; first += rows)
        for (const token of (yield* model.step(step(first, rows))).tokens) counts[token]!++
      const edited = logits.slice()
      editRow(edited, step(0, 1).rows.edits!, 0, 0)
      const weights = drawWeights(edited, { ...draw, seedLow: 0, seedHigh: 0, outputIndex: 0 })
      const mass = weights.reduce((a, b) => a + b, 0)
      let chiSquare = 0
      let kept = 0
      weights.forEach((weight, id) => {
        const expected = (draws * weight) / mass
        if (weight === 0) expect(counts[id], `token ${id} is masked`).toBe(0)
        else chiSquare += (counts[id]! - expected) ** 2 / expected
        if (weight > 0) kept++
      })
      expect(kept).toBeGreaterThan(20)
      expect(kept).toBeLessThan(vocabSize)
      // Wilson and Hilferty's approximation of the quantile that chance passes once in 10,000.
      const freedom = kept - 1
      const quantile = freedom * (1 - 2 / (9 * freedom) + 3.719 * Math.sqrt(2 / (9 * freedom))) ** 3
      expect(chiSquare).toBeLessThan(quantile)
    }).pipe(Effect.scoped, Effect.provide(Cpu.layer()))
  )
})
