import { dtypeOf } from "../tensor/dtype.ts"
import type { Attributes, Operands, OpRecord } from "./op.ts"
import { roundTo } from "./round.ts"

/** One head of token `t`, which sees tokens [first, last] of the batch. */
const attendHead = ({ y, q, k, v }: Operands, t: number, head: number, first: number, last: number, a: Attributes) => {
  const [D, E, A, G] = [a.headDim!, a.valueDim!, a.heads!, a.kvHeads!]
  const kvHead = Math.floor(head / (A / G))
  const stored = roundTo(dtypeOf(a.dtype!))
  const weight = dtypeOf(a.dtype!) === "bfloat16" ? stored : (x: number) => x
  const scores: Array<number> = []
  for (let j = first; j <= last; j++) {
    let dot = 0
    for (let d = 0; d < D; d++) dot += weight(q![(t * A + head) * D + d]!) * stored(k![(j * G + kvHead) * D + d]!)
    scores.push(Math.fround(dot * a.scale!))
  }
  const max = Math.max(...scores)
  const probabilities = scores.map((score) => Math.exp(score - max))
  const total = probabilities.reduce((sum, p) => sum + p, 0)
  for (let e = 0; e < E; e++) {
    let sum = 0
    for (let j = first; j <= last; j++) sum += weight(probabilities[j - first]!) * stored(v![(j * G + kvHead) * E + e]!)
    y![(t * A + head) * E + e] = sum / total
  }
}

export const encoderAttention = {
  doc: "Bidirectional attention within each sequence of the step, which must hold all of its tokens: y[t,a] = softmax_j(scale * q[t,a] . k[j, a / (A/G)]) v over all j, or, when reach > 0, over |position[j] - position[t]| <= reach. K and V are rounded to `dtype`, as a cache would; bfloat16 rounds q and the probabilities too. Vaswani et al. 2017.",
  outputs: { y: "act[T,A*E]" },
  inputs: { q: "act[T,A*D]", k: "act[T,G*D]", v: "act[T,G*E]" },
  attributes: {
    heads: "i32",
    kvHeads: "i32",
    headDim: "i32",
    valueDim: "i32",
    scale: "f32",
    reach: "i32",
    dtype: "dtype"
  },
  reference: (operands, _dims, a, { sequenceStarts }) => {
    for (let s = 0; s + 1 < sequenceStarts.length; s++) {
      const [begin, end] = [sequenceStarts[s]!, sequenceStarts[s + 1]!]
      for (let t = begin; t < end; t++) {
        const first = a.reach! > 0 ? Math.max(begin, t - a.reach!) : begin
        const last = a.reach! > 0 ? Math.min(end - 1, t + a.reach!) : end - 1
        for (let head = 0; head < a.heads!; head++) attendHead(operands, t, head, first, last, a)
      }
    }
  },
  cases: ({ normal }) =>
    [
      { T: 1, A: 4, G: 4, D: 16, reach: 0, lengths: [1] },
      { T: 81, A: 3, G: 3, D: 32, reach: 0, lengths: [70, 11] },
      { T: 40, A: 4, G: 2, D: 24, reach: 0, lengths: [5, 16, 19] },
      { T: 150, A: 2, G: 2, D: 64, reach: 8, lengths: [17, 133] },
      { T: 530, A: 1, G: 1, D: 16, reach: 0, lengths: [530] }
    ].map(({ reach, lengths, ...dims }) => ({
      dims: { ...dims, E: dims.D },
      attributes: {
        heads: dims.A,
        kvHeads: dims.G,
        headDim: dims.D,
        valueDim: dims.D,
        scale: 1 / Math.sqrt(dims.D),
        reach
      },
      operands: { q: normal(1.5), k: normal(1), v: normal(1) },
      sequences: lengths.map((tokens) => ({ cached: 0, tokens }))
    })),
  tolerance: { float32: 5e-6, bfloat16: 2 ** -7, float16: 5e-6 },
  cudaMissing: "the CUDA kernel of encoderAttention comes with the CUDA backend"
} satisfies OpRecord
