import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import type { Backend } from "../../src/services/Backend.ts"
import { folderOf, type GoldenCase, goldenCases, loadFolder, statedAt, teacherForced } from "./golden.ts"

interface Answers {
  readonly prompt: Effect.Effect.Success<ReturnType<typeof teacherForced>>["prompt"]
  readonly results: Effect.Effect.Success<ReturnType<typeof teacherForced>>["results"]
}

/** Step i of the reference's greedy run: the row that answers it. */
const rowOf = ({ prompt, results }: Answers, golden: GoldenCase, i: number) =>
  i === 0 ? { result: prompt, row: golden.promptTokenIds.length - 1 } : { result: results[i - 1]!, row: 0 }

const float32 = (golden: GoldenCase, answers: Answers) => {
  golden.promptLogprobs.forEach((wanted, i) => {
    if (wanted !== null) expect(Math.abs(answers.prompt.logprobs[i - 1]! - wanted)).toBeLessThanOrEqual(1e-3)
  })
  golden.steps.forEach(({ token, top }, i) => {
    const { result, row } = rowOf(answers, golden, i)
    expect(result.faults[row]).toBe(0)
    expect(result.tokens[row]).toBe(token)
    const stated = statedAt(result, row)
    for (const [id, logprob] of top) expect(Math.abs(stated.get(id)! - logprob)).toBeLessThanOrEqual(1e-3)
  })
}

/** 16 bit: each stated logprob within 0.5, the choice equal where the reference's gap exceeds 0.3. */
const rounded = (golden: GoldenCase, answers: Answers) => {
  golden.promptLogprobs.forEach((wanted, i) => {
    if (wanted !== null) expect(Math.abs(answers.prompt.logprobs[i - 1]! - wanted)).toBeLessThanOrEqual(0.5)
  })
  golden.steps.forEach(({ token, top }, i) => {
    const { result, row } = rowOf(answers, golden, i)
    if (top[0]![1] - top[1]![1] > 0.3) expect(result.tokens[row]).toBe(token)
    const stated = statedAt(result, row)
    let compared = 0
    for (const [id, logprob] of top) {
      const got = stated.get(id)
      if (got === undefined) continue
      compared++
      expect(Math.abs(got - logprob)).toBeLessThanOrEqual(0.5)
    }
    expect(compared).toBeGreaterThan(0)
  })
}

/** One golden folder on one backend in one dtype, teacher-forced on the reference's tokens (which greedy equality makes the model's own). */
export const goldenSuite = <E>(name: string, dtype: Dtype, backend: Layer.Layer<Backend, E>): void =>
  it.live(`${name} ${dtype}: tokens and logprobs are transformers'`, () =>
    Effect.gen(function* () {
      const model = yield* loadFolder(folderOf(name), { dtype })
      for (const golden of goldenCases(name)) {
        const answers = yield* teacherForced(model, golden)
        if (dtype === "float32") float32(golden, answers)
        else rounded(golden, answers)
      }
    }).pipe(Effect.scoped, Effect.provide(backend))
  )
