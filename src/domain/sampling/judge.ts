import type { OutputRows, StepInput, StepResult } from "../batch/step.ts"
import { editRow, maskRow } from "./edit.ts"

/** A result with its arrays sized for `rows` and nothing judged. */
export const emptyResult = (rows: OutputRows): StepResult => {
  const count = rows.index.length
  const top = rows.logprobs.reduce((most, wanted) => Math.max(most, wanted), 0)
  return {
    tokens: new Int32Array(count),
    logprobs: new Float32Array(count),
    ranks: new Int32Array(count),
    faults: new Uint8Array(count),
    top,
    topTokens: new Int32Array(count * top).fill(-1),
    topLogprobs: new Float32Array(count * top),
    elapsed: 0
  }
}

const logSumExp = (logits: Float32Array): number => {
  const max = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - max)
  return max + Math.log(sum)
}

/** Ids of the `count` greatest logits that no mask took, the greatest first; of equals the lower id. */
const greatest = (logits: Float32Array, count: number): Int32Array =>
  Int32Array.from(logits.keys())
    .filter((id) => logits[id] !== Number.NEGATIVE_INFINITY)
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .subarray(0, count)

/** What logprobs are taken of, and what the row draws from: the same array where nothing but a grammar changes it. */
const settleRow = (logits: Float32Array, { tokens, rows }: JudgedStep, r: number) => {
  const { edits } = rows
  if (edits === undefined || rows.target[r]! >= 0) return { stated: logits, drawn: logits }
  const stated = logits.slice()
  maskRow(stated, edits, r)
  const drawn = stated.slice()
  editRow(drawn, edits, r, rows.outputIndex[r]! > 0 ? tokens[rows.index[r]!]! : -1)
  return { stated, drawn }
}

/** A step with the tokens that it takes from the step before put in their places. */
export type JudgedStep = Pick<StepInput, "tokens" | "rows">

/** Turns row `r`'s logits into its token, logprob, rank and best alternatives, or its fault. */
export const judgeRow = (
  logits: Float32Array,
  step: JudgedStep,
  r: number,
  result: StepResult,
  draw: (logits: Float32Array, rows: OutputRows, r: number) => number
): void => {
  const { rows } = step
  const target = rows.target[r]!
  const finite = logits.every((logit) => Number.isFinite(logit))
  const { stated, drawn } = settleRow(logits, step, r)
  if (!finite || !drawn.some((logit) => Number.isFinite(logit))) {
    result.faults[r] = 1
    return
  }
  const token = target >= 0 ? target : draw(drawn, rows, r)
  result.tokens[r] = token
  const wanted = rows.logprobs[r]!
  if (wanted < 0) return
  const total = logSumExp(stated)
  const own = stated[token]!
  result.logprobs[r] = own - total
  let rank = 0
  for (const logit of stated) if (logit >= own) rank++
  result.ranks[r] = rank
  greatest(stated, wanted).forEach((id, column) => {
    result.topTokens[r * result.top + column] = id
    result.topLogprobs[r * result.top + column] = stated[id]! - total
  })
}
