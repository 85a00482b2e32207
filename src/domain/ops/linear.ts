import { dtypeOf } from "../tensor/dtype.ts"
import type { OpRecord } from "./op.ts"
import { toBfloat16 } from "./round.ts"

export const linear = {
  doc: "y[t,n] = sum_k x[t,k] * weight[n,k] + bias[n]. In float32, denormals flushed, bias added last. A float32 or (widened) float16 weight: sequential over pairs of K, odd element first, acc = fma(x0, w0, fma(x1, w1, acc)). A bfloat16 weight rounds x to bfloat16, and K goes in blocks of 32: in each the even elements are one chain of fma from 0 and the odd ones another, and acc += even + odd.",
  outputs: { y: "act[T,N]" },
  inputs: { x: "act[T,K]", weight: "weight[N,K]", bias: "f32[N]?" },
  attributes: { dtype: "dtype" },
  reference: ({ y, x, weight, bias }, { T, N, K }, { dtype }) => {
    const round = dtypeOf(dtype!) === "bfloat16"
    const row = new Float32Array(K!)
    for (let t = 0; t < T!; t++) {
      for (let k = 0; k < K!; k++) row[k] = round ? toBfloat16(x![t * K! + k]!) : x![t * K! + k]!
      for (let n = 0; n < N!; n++) {
        let sum = 0
        const at = n * K!
        for (let k = 0; k < K!; k++) sum += row[k]! * weight![at + k]!
        y![t * N! + n] = bias ? sum + bias[n]! : sum
      }
    }
  },
  cases: ({ normal }) =>
    [
      { T: 1, N: 64, K: 64 },
      { T: 3, N: 48, K: 33 },
      { T: 8, N: 100, K: 70 },
      { T: 33, N: 176, K: 128 },
      { T: 70, N: 17, K: 96 }
    ].map((dims, index) => ({
      dims,
      operands: {
        x: normal(1),
        weight: normal(1 / Math.sqrt(dims.K)),
        ...(index % 2 === 0 ? {} : { bias: normal(0.5) })
      }
    })),
  tolerance: { float32: 1e-5, bfloat16: 1e-5, float16: 1e-5 },
  cudaMissing: "the CUDA kernel of linear comes with the CUDA backend"
} satisfies OpRecord
