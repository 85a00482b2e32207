import type { OpRecord } from "./op.ts"

export const add = {
  doc: "y = a + b. y may be a's or b's own buffer.",
  outputs: { y: "act[T,H]" },
  inputs: { a: "act[T,H]", b: "act[T,H]" },
  attributes: {},
  reference: ({ y, a, b }) => {
    for (let i = 0; i < y!.length; i++) y![i] = a![i]! + b![i]!
  },
  cases: ({ normal }) => [{ dims: { T: 7, H: 100 }, operands: { a: normal(1), b: normal(1) } }],
  tolerance: { float32: 0, bfloat16: 0, float16: 0 },
  cudaMissing: "the CUDA kernel of add comes with the CUDA backend"
} satisfies OpRecord

export const gatherRows = {
  doc: "y[r] = x[rows[r]]: the token rows whose logits are wanted. It opens the head: what follows runs over output rows.",
  outputs: { y: "act[R,H]" },
  inputs: { x: "act[T,H]" },
  attributes: {},
  reference: ({ y, x }, { H }, _attributes, { rows }) => {
    for (let r = 0; r < rows.length; r++) y!.set(x!.subarray(rows[r]! * H!, (rows[r]! + 1) * H!), r * H!)
  },
  cases: ({ normal }) => [{ dims: { T: 9, R: 3, H: 70 }, operands: { x: normal(1) } }],
  tolerance: { float32: 0, bfloat16: 0, float16: 0 },
  cudaMissing: "the CUDA kernel of gatherRows comes with the CUDA backend"
} satisfies OpRecord
