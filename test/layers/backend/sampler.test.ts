import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RowEdits, StepInput } from "../../../src/domain/batch/step.ts"
import { uniform } from "../../../src/domain/sampling/generator.ts"
import * as Cpu from "../../../src/layers/backend/Cpu.ts"
import * as Reference from "../../../src/layers/backend/Reference.ts"
import { Backend } from "../../../src/services/Backend.ts"
import { randomEdits } from "../../support/edits.ts"
import { tablePlan } from "../../support/logitTable.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"

const noise = (i: number) => uniform(2026, 0, i)

const table = (rows: number, vocabSize: number) =>
  Float32Array.from({ length: rows * vocabSize }, (_, i) =>
    i === 9 * vocabSize + 4 ? Number.NaN : 12 * (noise(i) - 0.5)
  )

/** One row a token, every kind of sampling among them; the last asks for a target. */
const step = (R: number, edits?: RowEdits): StepInput => {
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
      outputIndex: Uint32Array.from(each((r) => r % 11)),
      ...(edits === undefined ? {} : { edits })
    }
  }
}

const sampled = (R: number, vocabSize: number, edits?: RowEdits) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const capacity = { maxTokens: R, maxSequences: 1, blocks: 1, blockSize: 16 }
      const tensors = { files: [], tensors: new Map() }
      const model = yield* backend.load({ plan: tablePlan(table(R, vocabSize), vocabSize), tensors, capacity })
      return yield* model.step(step(R, edits))
    })
  )

const isas = ["", "portable", "avx2", "avx512", "avx512bf16"]

describe.skipIf(!nativeBuilt())("the native sampler", () => {
  for (const vocabSize of [64, 1000, 5003])
    for (const edited of [false, true])
      it.live(`draws the tokens that the Reference draws, of ${vocabSize}${edited ? ", edited" : ""}`, () =>
        Effect.gen(function* () {
          const R = 120
          const edits = edited ? randomEdits(R, vocabSize, noise) : undefined
          const native = yield* Effect.provide(sampled(R, vocabSize, edits), Cpu.layer())
          const reference = yield* Effect.provide(sampled(R, vocabSize, edits), Reference.layer)
          expect([...native.faults]).toEqual([...reference.faults])
          expect(native.faults[9]).toBe(1)
          expect([...native.tokens]).toEqual([...reference.tokens])
          expect([...native.ranks]).toEqual([...reference.ranks])
          expect([...native.topTokens]).toEqual([...reference.topTokens])
          for (const [r, logprob] of native.logprobs.entries())
            expect(logprob, `row ${r}`).toBeCloseTo(reference.logprobs[r]!, 5)
          for (const [i, logprob] of native.topLogprobs.entries())
            expect(logprob).toBeCloseTo(reference.topLogprobs[i]!, 5)
          expect(new Set(native.tokens).size).toBeGreaterThan(edited ? 20 : 30)
        })
      )

  it.live("gives the same bits on every instruction family that this CPU has, edited or not", () =>
    Effect.gen(function* () {
      const edits = randomEdits(120, 1000, noise)
      const answers: Array<unknown> = []
      for (const isa of isas) {
        const layer = yield* Effect.either(Layer.build(Cpu.layer({ isa })))
        if (layer._tag === "Left") continue
        const { elapsed: _, ...answer } = yield* Effect.provide(sampled(120, 1000, edits), layer.right)
        answers.push(answer)
      }
      expect(answers.length).toBeGreaterThan(1)
      for (const answer of answers) expect(answer).toEqual(answers[0])
    }).pipe(Effect.scoped)
  )
})
