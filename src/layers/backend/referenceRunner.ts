import type { StepInput, StepResult } from "../../domain/batch/step.ts"
import { makeInterpreter } from "../../domain/plan/interpret.ts"
import type { Plan } from "../../domain/plan/plan.ts"
import { drawRow } from "../../domain/sampling/draw.ts"
import { emptyResult, judgeRow } from "../../domain/sampling/judge.ts"
import type { Capacity } from "../../services/Backend.ts"

/** Output rows that the head takes at once: bounds the logits to this many rows of the vocabulary. */
const slabRows = 32

/** Tokens with those that the step before drew put in their places. */
const settleTokens = (tokens: Int32Array, drawn: Int32Array): Int32Array =>
  tokens.map((token) => (token >= 0 ? token : drawn[-1 - token]!))

/** One step of a loaded plan after another, on this thread. */
export const makeRunner = (plan: Plan, weights: ReadonlyArray<Float32Array>, capacity: Capacity) => {
  const interpreter = makeInterpreter(plan, weights, { ...capacity, slabRows })
  const logits = interpreter.slot(plan.logits.slot)
  let drawn = new Int32Array(0)
  return (input: StepInput): StepResult => {
    const begun = performance.now()
    const { rows } = input
    const step = { ...input, tokens: settleTokens(input.tokens, drawn) }
    interpreter.copyBlocks(input.copies)
    interpreter.run({ ...step, rows: rows.index }, 0, plan.headStart)
    const result = emptyResult(rows)
    for (let first = 0; first < rows.index.length; first += slabRows) {
      const slab = rows.index.subarray(first, first + slabRows)
      interpreter.run({ ...step, rows: slab }, plan.headStart, plan.instructions.length)
      for (let r = 0; r < slab.length; r++)
        judgeRow(logits.subarray(r * plan.vocabSize, (r + 1) * plan.vocabSize), step, first + r, result, drawRow)
    }
    drawn = result.tokens.slice()
    return { ...result, elapsed: performance.now() - begun }
  }
}
