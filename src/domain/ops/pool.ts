import type { OpRecord } from "./op.ts"

export const runningMean = {
  doc: "y[t,h] = (sum of x[j,h] over the tokens j <= t of t's sequence) / (positions[t] + 1), added in float32 in the order of positions. A sequence that goes on from an earlier step begins with the sum that its place, carries[s], has kept, and every sequence with a place leaves its sum there.",
  outputs: { y: "act[T,H]" },
  inputs: { x: "act[T,H]" },
  attributes: {},
  reference: ({ y, x }, { H }, _attributes, { positions, sequenceStarts, carries, sums }) => {
    const sum = new Float32Array(H!)
    for (let s = 0; s + 1 < sequenceStarts.length; s++) {
      const first = sequenceStarts[s]!
      const kept = sums.subarray(carries[s]! * H!, (carries[s]! + 1) * H!)
      sum.fill(0)
      if (carries[s]! >= 0 && positions[first]! > 0) sum.set(kept)
      for (let t = first; t < sequenceStarts[s + 1]!; t++)
        for (let h = 0; h < H!; h++) {
          sum[h]! += x![t * H! + h]!
          y![t * H! + h] = sum[h]! / (positions[t]! + 1)
        }
      if (carries[s]! >= 0) kept.set(sum)
    }
  },
  cases: ({ normal }) => [
    { dims: { T: 1, H: 33 }, operands: { x: normal(1) } },
    {
      dims: { T: 40, H: 100 },
      operands: { x: normal(1) },
      sequences: [
        { cached: 0, tokens: 29 },
        { cached: 0, tokens: 1 },
        { cached: 0, tokens: 10 }
      ]
    }
  ],
  tolerance: { float32: 1e-6, bfloat16: 1e-6, float16: 1e-6 },
  cudaMissing: "the CUDA kernel of runningMean comes with the CUDA backend"
} satisfies OpRecord
