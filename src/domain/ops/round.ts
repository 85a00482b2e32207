import type { Dtype } from "../tensor/dtype.ts"

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Nearest bfloat16, ties to even; NaN stays NaN. */
export const toBfloat16 = (x: number): number => {
  float[0] = x
  if (Number.isNaN(x)) return x
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000
  return float[0]!
}

/** Nearest float16, ties to even, as float32; overflow gives infinity. */
export const toFloat16 = (x: number): number => {
  float[0] = x
  const magnitude = Math.abs(float[0]!)
  if (!(magnitude > 0) || magnitude === Number.POSITIVE_INFINITY) return float[0]!
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14)
  const unit = 2 ** (exponent - 10)
  const quotient = magnitude / unit
  const floor = Math.floor(quotient)
  const rest = quotient - floor
  const rounded = (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor) * unit
  return Math.sign(x) * (rounded > 65504 ? Number.POSITIVE_INFINITY : rounded)
}

export const roundTo = (dtype: Dtype): ((x: number) => number) =>
  dtype === "bfloat16" ? toBfloat16 : dtype === "float16" ? toFloat16 : Math.fround
