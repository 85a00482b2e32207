import { roundTo } from "../ops/round.ts"
import type { Dtype } from "../tensor/dtype.ts"
import type { TensorDtype } from "./checkpoint.ts"

/** The value of a float16 given by its bits. */
const fromFloat16 = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Little-endian bytes of a tensor as float32 values, exact. */
export const expandBytes = (bytes: Uint8Array, stored: TensorDtype): Float32Array => {
  const { buffer, byteOffset, byteLength } = bytes
  const aligned = byteOffset % 4 === 0 ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
  const at = aligned === buffer ? byteOffset : 0
  if (stored === "F32") return new Float32Array(aligned, at, byteLength / 4)
  const half = new Uint16Array(aligned, at, byteLength / 2)
  if (stored === "F16") return Float32Array.from(half, fromFloat16)
  const widened = new Uint32Array(half.length)
  for (let i = 0; i < half.length; i++) widened[i] = half[i]! << 16
  return new Float32Array(widened.buffer)
}

/** Rounds in place to what a backend would store. */
export const roundInPlace = (values: Float32Array, dtype: Dtype): void => {
  if (dtype === "float32") return
  const round = roundTo(dtype)
  for (let i = 0; i < values.length; i++) values[i] = round(values[i]!)
}

/** [K, N] to [N, K]. */
export const transpose = (values: Float32Array, rows: number, columns: number): Float32Array => {
  const turned = new Float32Array(values.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[r * columns + c] = values[c * rows + r]!
  return turned
}
