import { dtypeOf } from "../tensor/dtype.ts"
import type { Attributes, OpRecord, ReferenceContext } from "./op.ts"
import { roundTo } from "./round.ts"

/** Rounds K and V rows to the cache's dtype and puts them at their slots. */
export const writeRows = (k: Float32Array, v: Float32Array, T: number, a: Attributes, context: ReferenceContext) => {
  const { slots } = context.groups[a.group!]!
  const cache = context.cache(a.group!, a.layer!)
  const round = roundTo(dtypeOf(a.dtype!))
  const kWidth = k.length / T
  const vWidth = v.length / T
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < kWidth; i++) cache.keys[slots[t]! * kWidth + i] = round(k[t * kWidth + i]!)
    for (let i = 0; i < vWidth; i++) cache.values[slots[t]! * vWidth + i] = round(v[t * vWidth + i]!)
  }
}

export const kvWrite = {
  doc: "K and V of each token are rounded to the cache's dtype and written at the step's slots. The first write to a block clears the block's other V rows, so that nothing stale is ever multiplied.",
  outputs: {},
  inputs: { k: "act[T,G*D]", v: "act[T,G*E]" },
  attributes: { kvHeads: "i32", group: "i32", layer: "i32", dtype: "dtype" },
  reference: ({ k, v }, { T }, attributes, context) => writeRows(k!, v!, T!, attributes, context),
  cases: ({ normal }) => [
    {
      dims: { T: 20, G: 2, D: 16, E: 16 },
      attributes: { kvHeads: 2, group: 0, layer: 0 },
      operands: { k: normal(1), v: normal(1) },
      sequences: [
        { cached: 5, tokens: 1 },
        { cached: 0, tokens: 19 }
      ]
    }
  ],
  tolerance: { float32: 1e-6, bfloat16: 2 ** -8, float16: 2 ** -11 }
} satisfies OpRecord

export const attention = {
  doc: "Paged causal attention: y[t,a] = softmax_j(scale * q[t,a] . K[j, a / (A/G)]) V over cached positions j <= position[t], and j > position[t] - window when window > 0. A bfloat16 cache rounds q and the probabilities to bfloat16. Vaswani et al. 2017; Ainslie et al. 2023.",
  outputs: { y: "act[T,A*E]" },
  inputs: { q: "act[T,A*D]" },
  attributes: {
    heads: "i32",
    kvHeads: "i32",
    headDim: "i32",
    valueDim: "i32",
    scale: "f32",
    window: "i32",
    group: "i32",
    layer: "i32",
    dtype: "dtype"
  },
  reference: ({ y, q }, _dims, a, context) => {
    const { blockTables, blockTableStarts } = context.groups[a.group!]!
    const { keys, values } = context.cache(a.group!, a.layer!)
    const round = dtypeOf(a.dtype!) === "bfloat16" ? roundTo("bfloat16") : (x: number) => x
    const [D, E, A, G] = [a.headDim!, a.valueDim!, a.heads!, a.kvHeads!]
    const query = new Float32Array(D)
    for (let s = 0; s + 1 < context.sequenceStarts.length; s++)
      for (let t = context.sequenceStarts[s]!; t < context.sequenceStarts[s + 1]!; t++) {
        const position = context.positions[t]!
        const first = a.window! > 0 ? Math.max(0, position - a.window! + 1) : 0
        const slot = (j: number) =>
          blockTables[blockTableStarts[s]! + Math.floor(j / context.blockSize)]! * context.blockSize +
          (j % context.blockSize)
        for (let head = 0; head < A; head++) {
          const kvHead = Math.floor(head / (A / G))
          for (let d = 0; d < D; d++) query[d] = round(q![(t * A + head) * D + d]!)
          const scores = new Float32Array(position - first + 1)
          let max = Number.NEGATIVE_INFINITY
          for (let j = first; j <= position; j++) {
            let dot = 0
            const at = (slot(j) * G + kvHead) * D
            for (let d = 0; d < D; d++) dot += query[d]! * keys[at + d]!
            scores[j - first] = dot * a.scale!
            max = Math.max(max, scores[j - first]!)
          }
          let total = 0
          const out = new Float64Array(E)
          for (let j = first; j <= position; j++) {
            const p = Math.exp(scores[j - first]! - max)
            total += p
            const weight = round(p)
            const at = (slot(j) * G + kvHead) * E
            for (let e = 0; e < E; e++) out[e]! += weight * values[at + e]!
          }
          for (let e = 0; e < E; e++) y![(t * A + head) * E + e] = out[e]! / total
        }
      }
  },
  cases: ({ normal }) =>
    [
      { T: 1, A: 4, G: 2, D: 16, window: 0, sequences: [{ cached: 0, tokens: 1 }] },
      { T: 70, A: 4, G: 4, D: 32, window: 0, sequences: [{ cached: 0, tokens: 70 }] },
      {
        T: 12,
        A: 9,
        G: 3,
        D: 64,
        window: 0,
        sequences: [
          { cached: 150, tokens: 1 },
          { cached: 61, tokens: 11 }
        ]
      },
      {
        T: 40,
        A: 4,
        G: 1,
        D: 24,
        window: 16,
        sequences: [
          { cached: 33, tokens: 1 },
          { cached: 0, tokens: 39 }
        ]
      },
      { T: 3, A: 2, G: 2, D: 128, window: 0, sequences: [{ cached: 600, tokens: 3 }] }
    ].map(({ window, sequences, ...dims }) => ({
      dims: { ...dims, E: dims.D },
      attributes: {
        heads: dims.A,
        kvHeads: dims.G,
        headDim: dims.D,
        valueDim: dims.D,
        scale: 1 / Math.sqrt(dims.D),
        window,
        group: 0,
        layer: 0
      },
      operands: { q: normal(1.5) },
      sequences
    })),
  tolerance: { float32: 5e-6, bfloat16: 2 ** -7, float16: 5e-6 },
  cudaMissing: "the CUDA kernel of attention comes with the CUDA backend"
} satisfies OpRecord
