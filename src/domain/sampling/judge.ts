import type { OutputRows, StepResult } from "../batch/step.ts"

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

/** Ids of the `count` greatest logits, the greatest first; of equals the lower id. */
const greatest = (logits: Float32Array, count: number): Int32Array =>
  Int32Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .subarray(0, count)

/** Turns row `r`'s logits into its token, logprob, rank and best alternatives, or its fault. */
export const judgeRow = (
  logits: Float32Array,
  rows: OutputRows,
  r: number,
  result: StepResult,
  draw: (logits: Float32Array, rows: OutputRows, r: number) => number
): void => {
  if (!logits.every((logit) => Number.isFinite(logit))) {
    result.faults[r] = 1
    return
  }
  const target = rows.target[r]!
  const token = target >= 0 ? target : draw(logits, rows, r)
  result.tokens[r] = token
  const wanted = rows.logprobs[r]!
  if (wanted < 0) return
  const total = logSumExp(logits)
  const own = logits[token]!
  result.logprobs[r] = own - total
  let rank = 0
  for (const logit of logits) if (logit >= own) rank++
  result.ranks[r] = rank
  greatest(logits, wanted).forEach((id, column) => {
    result.topTokens[r * result.top + column] = id
    result.topLogprobs[r * result.top + column] = logits[id]! - total
  })
}
