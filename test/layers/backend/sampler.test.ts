import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { StepInput } from "../../../src/domain/batch/step.ts"
import { rowBytes } from "../../../src/domain/plan/memory.ts"
import type { Plan } from "../../../src/domain/plan/plan.ts"
import { uniform } from "../../../src/domain/sampling/generator.ts"
import * as Cpu from "../../../src/layers/backend/Cpu.ts"
import * as Reference from "../../../src/layers/backend/Reference.ts"
import { Backend } from "../../../src/services/Backend.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"

const noise = (i: number) => uniform(2026, 0, i)

/** A model whose logits are a row of its own table: token t asks for row t. */
const tablePlan = (rows: number, vocabSize: number): Plan => ({
  architecture: "a table of logits",
  dtype: "float32",
  instructions: [
    {
      op: "embed",
      operands: [
        { kind: "view", slot: 0, column: 0, columns: vocabSize },
        { kind: "weight", weight: 0 }
      ],
      attributes: { source: 0, offset: 0, scale: 1 }
    },
    {
      op: "gatherRows",
      operands: [
        { kind: "view", slot: 1, column: 0, columns: vocabSize },
        { kind: "view", slot: 0, column: 0, columns: vocabSize }
      ],
      attributes: {}
    }
  ],
  headStart: 1,
  slots: [
    { rows: "tokens", width: vocabSize, offset: 0 },
    { rows: "outputs", width: vocabSize, offset: 0 }
  ],
  tokenBytes: rowBytes(vocabSize),
  outputBytes: rowBytes(vocabSize),
  weights: [
    {
      name: "table",
      kind: "table",
      dtype: "float32",
      rows,
      columns: vocabSize,
      source: "constant",
      values: Float32Array.from({ length: rows * vocabSize }, (_, i) =>
        i === 9 * vocabSize + 4 ? Number.NaN : 12 * (noise(i) - 0.5)
      )
    }
  ],
  cacheGroups: [],
  logits: { kind: "view", slot: 1, column: 0, columns: vocabSize },
  vocabSize
})

/** One row a token, every kind of sampling among them; the last asks for a target. */
const step = (R: number): StepInput => {
  const index = Int32Array.from({ length: R }, (_, r) => r)
  const each = (f: (r: number) => number) => Array.from(index, f)
  return {
    step: 0,
    tokens: index,
    positions: index,
    sequenceStarts: Int32Array.of(0, R),
    contextLengths: Int32Array.of(R),
    cacheGroups: [],
    copies: new Int32Array(0),
    rows: {
      index,
      target: Int32Array.from(each((r) => (r === R - 1 ? 17 : -1))),
      logprobs: Int32Array.from(each((r) => (r === R - 1 ? 3 : (r % 7) - 1))),
      temperature: Float32Array.from(each((r) => (r % 4 === 0 ? 0 : 0.4 + (r % 5) * 0.3))),
      topK: Int32Array.from(each((r) => (r % 3 === 0 ? 1 + (r % 60) : 0))),
      topP: Float32Array.from(each((r) => (r % 2 === 0 ? 0.3 + (r % 7) / 10 : 1))),
      minP: Float32Array.from(each((r) => (r % 5 === 0 ? 0.05 : 0))),
      seed: Uint32Array.from(Array.from({ length: 2 * R }, (_, i) => 4e9 * noise(i))),
      outputIndex: Uint32Array.from(each((r) => r % 11))
    }
  }
}

const sampled = (R: number, vocabSize: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const capacity = { maxTokens: R, maxSequences: 1, blocks: 1, blockSize: 16 }
      const tensors = { files: [], tensors: new Map() }
      const model = yield* backend.load({ plan: tablePlan(R, vocabSize), tensors, capacity })
      return yield* model.step(step(R))
    })
  )

describe.skipIf(!nativeBuilt())("the native sampler", () => {
  for (const vocabSize of [64, 1000, 5003])
    it.live(`draws the tokens that the Reference draws, of ${vocabSize}`, () =>
      Effect.gen(function* () {
        const R = 120
        const native = yield* Effect.provide(sampled(R, vocabSize), Cpu.layer())
        const reference = yield* Effect.provide(sampled(R, vocabSize), Reference.layer)
        expect([...native.faults]).toEqual([...reference.faults])
        expect(native.faults[9]).toBe(1)
        expect([...native.tokens]).toEqual([...reference.tokens])
        expect([...native.ranks]).toEqual([...reference.ranks])
        expect([...native.topTokens]).toEqual([...reference.topTokens])
        for (const [r, logprob] of native.logprobs.entries())
          expect(logprob, `row ${r}`).toBeCloseTo(reference.logprobs[r]!, 5)
        for (const [i, logprob] of native.topLogprobs.entries())
          expect(logprob).toBeCloseTo(reference.topLogprobs[i]!, 5)
        expect(new Set(native.tokens).size).toBeGreaterThan(30)
      })
    )
})
