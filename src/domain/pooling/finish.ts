/** What becomes of a classifier's logits. */
export type ClassifierActivation = "softmax" | "sigmoid" | "identity"

/** What happens to a raw row of a pooler's head, in this order. */
export interface Finish {
  /** Columns kept, in their order; absent: all. */
  readonly columns?: ReadonlyArray<number>
  /** Two logits, of "no" and "yes", become one: their difference, whose sigmoid is the softmax's second. */
  readonly twoWay: boolean
  readonly activation: ClassifierActivation
  /** Numbers kept of the row's beginning; absent: all. */
  readonly dimensions?: number
  /** To length 1, after the cut. */
  readonly normalize: boolean
}

/** Below this length a row is left as it is, as in the reference: it points nowhere. */
const leastLength = 1e-12

const softmax = (row: ReadonlyArray<number>): Array<number> => {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = row.map((logit) => Math.exp(logit - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

const sigmoid = (logit: number): number =>
  logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit))

const activate = (row: Array<number>, activation: ClassifierActivation): Array<number> =>
  activation === "softmax" ? softmax(row) : activation === "sigmoid" ? row.map(sigmoid) : row

const normalized = (row: Array<number>): Array<number> => {
  let square = 0
  for (const value of row) square += value * value
  const scale = 1 / Math.max(leastLength, Math.sqrt(square))
  return row.map((value) => value * scale)
}

/** The answer that a raw row becomes. Sums are in float64, from left to right, whatever else was in the batch. */
export const finishRow = (raw: Float32Array, finish: Finish): Array<number> => {
  const { columns, twoWay, activation, dimensions, normalize } = finish
  const kept = columns === undefined ? Array.from(raw) : columns.map((column) => raw[column]!)
  const logits = twoWay ? [kept[1]! - kept[0]!] : kept
  const row = activate(logits, activation)
  const short = dimensions === undefined ? row : row.slice(0, dimensions)
  return normalize ? normalized(short) : short
}
