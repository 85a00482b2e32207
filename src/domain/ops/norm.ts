import type { Dims, Operands, OpRecord } from "./op.ts"

/** Rows of H values, G groups a row; `y` may be `x`. */
const rmsRows = (x: Float32Array, weight: Float32Array, y: Float32Array, rows: number, H: number, eps: number) => {
  for (let r = 0; r < rows; r++) {
    let square = 0
    for (let h = 0; h < H; h++) square += x[r * H + h]! ** 2
    const scale = 1 / Math.sqrt(square / H + eps)
    for (let h = 0; h < H; h++) y[r * H + h] = x[r * H + h]! * scale * weight[h]!
  }
}

const layerRows = ({ y, weight, bias }: Operands, x: Float32Array, { T, H }: Dims, eps: number) => {
  for (let t = 0; t < T!; t++) {
    let mean = 0
    for (let h = 0; h < H!; h++) mean += x[t * H! + h]!
    mean /= H!
    let square = 0
    for (let h = 0; h < H!; h++) square += (x[t * H! + h]! - mean) ** 2
    const scale = 1 / Math.sqrt(square / H! + eps)
    for (let h = 0; h < H!; h++) {
      const v = (x[t * H! + h]! - mean) * scale * weight![h]!
      y![t * H! + h] = bias ? v + bias[h]! : v
    }
  }
}

const addRows = ({ sum, x, residual }: Operands) => {
  for (let i = 0; i < sum!.length; i++) sum![i] = x![i]! + residual![i]!
}

const tolerance = { float32: 2e-6, bfloat16: 2e-6, float16: 2e-6 }

export const rmsNorm = {
  doc: "y[t,g,h] = x[t,g,h] / sqrt(mean_h(x[t,g,:]^2) + eps) * weight[h]: Zhang & Sennrich 2019. G groups of H columns a row are normalised each by itself (q and k norms per head).",
  outputs: { y: "act[T,G*H]" },
  inputs: { x: "act[T,G*H]", weight: "f32[H]" },
  attributes: { groups: "i32", eps: "f32" },
  reference: ({ y, x, weight }, { T, H }, { groups, eps }) => rmsRows(x!, weight!, y!, T! * groups!, H!, eps!),
  cases: ({ normal, one }) =>
    [
      { T: 1, G: 1, H: 64 },
      { T: 7, G: 1, H: 576 },
      { T: 5, G: 3, H: 24 },
      { T: 33, G: 1, H: 80 }
    ].map((dims) => ({
      dims,
      attributes: { groups: dims.G, eps: 1e-5 },
      operands: { x: normal(3), weight: one(0.2) }
    })),
  tolerance
} satisfies OpRecord

export const layerNorm = {
  doc: "y[t,h] = (x[t,h] - mean) / sqrt(variance + eps) * weight[h] + bias[h]: Ba, Kiros & Hinton 2016. Two passes: the mean first.",
  outputs: { y: "act[T,H]" },
  inputs: { x: "act[T,H]", weight: "f32[H]", bias: "f32[H]?" },
  attributes: { eps: "f32" },
  reference: (operands, dims, { eps }) => layerRows(operands, operands.x!, dims, eps!),
  cases: ({ normal, one }) =>
    [
      { T: 1, H: 64 },
      { T: 7, H: 576 },
      { T: 33, H: 80 }
    ].map((dims, index) => ({
      dims,
      attributes: { eps: 1e-5 },
      operands: { x: normal(3), weight: one(0.2), ...(index === 1 ? {} : { bias: normal(0.3) }) }
    })),
  tolerance
} satisfies OpRecord

export const addRmsNorm = {
  doc: "sum = x + residual; y = rmsNorm(sum). sum may be the residual's own buffer.",
  outputs: { sum: "act[T,H]", y: "act[T,H]" },
  inputs: { x: "act[T,H]", residual: "act[T,H]", weight: "f32[H]" },
  attributes: { eps: "f32" },
  reference: (operands, { T, H }, { eps }) => {
    addRows(operands)
    rmsRows(operands.sum!, operands.weight!, operands.y!, T!, H!, eps!)
  },
  cases: ({ normal, one }) =>
    [
      { T: 1, H: 64 },
      { T: 9, H: 100 }
    ].map((dims) => ({
      dims,
      attributes: { eps: 1e-6 },
      operands: { x: normal(2), residual: normal(3), weight: one(0.2) }
    })),
  tolerance
} satisfies OpRecord

export const addLayerNorm = {
  doc: "sum = x + residual; y = layerNorm(sum). sum may be the residual's own buffer.",
  outputs: { sum: "act[T,H]", y: "act[T,H]" },
  inputs: { x: "act[T,H]", residual: "act[T,H]", weight: "f32[H]", bias: "f32[H]?" },
  attributes: { eps: "f32" },
  reference: (operands, dims, { eps }) => {
    addRows(operands)
    layerRows(operands, operands.sum!, dims, eps!)
  },
  cases: ({ normal, one }) =>
    [
      { T: 1, H: 64 },
      { T: 9, H: 100 }
    ].map((dims) => ({
      dims,
      attributes: { eps: 1e-5 },
      operands: { x: normal(2), residual: normal(3), weight: one(0.2), bias: normal(0.2) }
    })),
  tolerance
} satisfies OpRecord
