import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { packEdits } from "../../src/domain/batch/packEdits.ts"
import type { OutputRows, StepInput } from "../../src/domain/batch/step.ts"
import { pickWeighted } from "../../src/domain/sampling/draw.ts"
import { uniform } from "../../src/domain/sampling/generator.ts"
import * as Cpu from "../../src/layers/backend/Cpu.ts"
import * as Reference from "../../src/layers/backend/Reference.ts"
import { Backend } from "../../src/services/Backend.ts"
import { tablePlan } from "../support/logitTable.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"
import { drawOf, rowOf, type SamplingCase, samplingGolden } from "../support/samplingGolden.ts"

const { vocab, vectors } = samplingGolden
/** Draws of each case, each under a seed of its own. */
const draws = 100
/** The rows of a case: its draws, and one that asks for the logprob of the token that the case's maker chose. */
const rowsOfCase = draws + 1

const outputRows = (cases: ReadonlyArray<SamplingCase>): OutputRows => {
  const count = cases.length * rowsOfCase
  const each = <T>(f: (golden: SamplingCase, i: number) => T) =>
    cases.flatMap((golden) => Array.from({ length: rowsOfCase }, (_, i) => f(golden, i)))
  const drawn = cases.flatMap((golden, c) => Array.from({ length: draws }, (_, i) => rowOf(golden, c * rowsOfCase + i)))
  return {
    index: Int32Array.from({ length: count }, (_, r) => Math.floor(r / rowsOfCase)),
    target: Int32Array.from(each(({ sampled }, i) => (i === draws ? sampled.token : -1))),
    logprobs: new Int32Array(count).fill(5),
    temperature: Float32Array.from(each((golden) => drawOf(golden).temperature)),
    topK: Int32Array.from(each((golden) => drawOf(golden).topK)),
    topP: Float32Array.from(each((golden) => drawOf(golden).topP)),
    minP: Float32Array.from(each((golden) => drawOf(golden).minP)),
    seed: Uint32Array.from({ length: 2 * count }, (_, i) => i),
    outputIndex: Uint32Array.from(each(({ outputTokenIds }) => outputTokenIds.length)),
    edits: packEdits(drawn, count)
  }
}

/** One token a case, whichever came last: it is the newest output token, and its row of logits is the case's vector. */
const stepOf = (cases: ReadonlyArray<SamplingCase>): StepInput => ({
  step: 0,
  tokens: Int32Array.from(cases, (golden) => rowOf(golden, 0).sequence.tokens.at(-1)!),
  positions: Int32Array.from(cases.keys()),
  sequenceStarts: Int32Array.of(0, cases.length),
  contextLengths: Int32Array.of(cases.length),
  cacheGroups: [],
  copies: new Int32Array(0),
  rows: outputRows(cases)
})

const judged = (name: string) =>
  Effect.gen(function* () {
    const cases = samplingGolden.cases.filter((golden) => golden.logits === name)
    const plan = tablePlan(Float32Array.from(Array.from({ length: vocab }, () => vectors[name]!).flat()), vocab)
    const capacity = { maxTokens: 64, maxSequences: 1, blocks: 1, blockSize: 16 }
    const model = yield* (yield* Backend).load({ plan, tensors: { files: [], tensors: new Map() }, capacity })
    return { cases, step: stepOf(cases), result: yield* model.step(stepOf(cases)) }
  }).pipe(Effect.scoped)

const sampling = <E>(backend: Layer.Layer<Backend, E>) => {
  for (const name of Object.keys(vectors))
    it.live(`${name}: every case is drawn as its probabilities say, and its logprobs are those of the raw logits`, () =>
      Effect.gen(function* () {
        const { cases, step, result } = yield* judged(name)
        expect(cases.length).toBeGreaterThan(3)
        expect(result.faults.some((fault) => fault !== 0)).toBe(false)
        cases.forEach((golden, c) => {
          const weights = Float32Array.from(golden.probabilities)
          for (let r = c * rowsOfCase; r < c * rowsOfCase + draws; r++) {
            const fraction = uniform(2 * r, 2 * r + 1, golden.outputTokenIds.length)
            expect(result.tokens[r], `${golden.name}, row ${r}`).toBe(pickWeighted(weights, fraction))
            const own = vectors[name]![result.tokens[r]!]!
            expect(result.ranks[r]).toBe(vectors[name]!.filter((logit) => logit >= own).length)
          }
          const chosen = (c + 1) * rowsOfCase - 1
          expect(step.rows.target[chosen]).toBe(golden.sampled.token)
          expect(Math.abs(result.logprobs[chosen]! - golden.sampled.logprob), golden.name).toBeLessThan(1e-5)
          expect(result.ranks[chosen], golden.name).toBe(golden.sampled.rank)
          golden.rawTopLogprobs.forEach(([id, logprob], i) => {
            expect(result.topTokens[chosen * result.top + i], golden.name).toBe(id)
            expect(Math.abs(result.topLogprobs[chosen * result.top + i]! - logprob), golden.name).toBeLessThan(1e-5)
          })
        })
      }).pipe(Effect.provide(backend))
    )
}

describe("golden sampling, Reference", () => sampling(Reference.layer))
describe.skipIf(!nativeBuilt())("golden sampling, Cpu", () => sampling(Cpu.layer()))
