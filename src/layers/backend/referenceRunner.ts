import type { PoolResult, StepInput, StepResult } from "../../domain/batch/step.ts"
import { type Interpreter, makeInterpreter, type StepView } from "../../domain/plan/interpret.ts"
import type { Plan, View } from "../../domain/plan/plan.ts"
import { drawRow } from "../../domain/sampling/draw.ts"
import { emptyResult, judgeRow } from "../../domain/sampling/judge.ts"
import type { Capacity } from "../../services/Backend.ts"

/** Output rows that the head takes at once: bounds the logits to this many rows of the vocabulary. */
const slabRows = 32

/** Tokens with those that the step before drew put in their places. */
const settleTokens = (tokens: Int32Array, drawn: Int32Array): Int32Array =>
  tokens.map((token) => (token >= 0 ? token : drawn[-1 - token]!))

/** A head over its rows, slab by slab; `take` is told the first row of each and how many it has. */
const eachSlab = (index: Int32Array, run: (slab: Int32Array) => void, take: (first: number, rows: number) => void) => {
  for (let first = 0; first < index.length; first += slabRows) {
    const slab = index.subarray(first, first + slabRows)
    run(slab)
    take(first, slab.length)
  }
}

type Step = Omit<StepView, "rows">

/** The pooler's heads, their rows as they are. */
const runPooler = (plan: Plan, interpreter: Interpreter, step: Step, input: StepInput): PoolResult => {
  const { pooled, each, eachStart } = plan.pooler!
  const wanted = input.pool!
  const faults = new Uint8Array(wanted.pooled.length + wanted.each.length)
  const head = (view: View | undefined, index: Int32Array, from: number, to: number, firstFault: number) => {
    if (view === undefined) return new Float32Array(0)
    const { slot, column, columns } = view
    const { width } = plan.slots[slot]!
    const answer = new Float32Array(index.length * columns)
    eachSlab(
      index,
      (rows) => interpreter.run({ ...step, rows }, from, to),
      (first, rows) => {
        for (let r = 0; r < rows; r++) {
          const row = interpreter.slot(slot).subarray(r * width + column, r * width + column + columns)
          answer.set(row, (first + r) * columns)
          faults[firstFault + first + r] = row.every(Number.isFinite) ? 0 : 1
        }
      }
    )
    return answer
  }
  return {
    pooled: head(pooled, wanted.pooled, plan.headStart, eachStart, 0),
    each: head(each, wanted.each, eachStart, plan.instructions.length, wanted.pooled.length),
    faults
  }
}

/** One step of a loaded plan after another, on this thread. */
export const makeRunner = (plan: Plan, weights: ReadonlyArray<Float32Array>, capacity: Capacity) => {
  const interpreter = makeInterpreter(plan, weights, { ...capacity, slabRows })
  const { logits } = plan
  let drawn = new Int32Array(0)
  return (input: StepInput): StepResult => {
    const begun = performance.now()
    const { rows } = input
    const step = { ...input, tokens: settleTokens(input.tokens, drawn) }
    interpreter.copyBlocks(input.copies)
    interpreter.run({ ...step, rows: rows.index }, 0, plan.headStart)
    const result = emptyResult(rows)
    if (logits !== undefined)
      eachSlab(
        rows.index,
        (slab) => interpreter.run({ ...step, rows: slab }, plan.headStart, plan.instructions.length),
        (first, count) => {
          const values = interpreter.slot(logits.slot)
          for (let r = 0; r < count; r++)
            judgeRow(values.subarray(r * plan.vocabSize, (r + 1) * plan.vocabSize), step, first + r, result, drawRow)
        }
      )
    drawn = result.tokens.slice()
    const pool = plan.pooler === undefined ? {} : { pool: runPooler(plan, interpreter, step, input) }
    return { ...result, ...pool, elapsed: performance.now() - begun }
  }
}
