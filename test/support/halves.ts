import { toFloat16 } from "../../src/domain/ops/round.ts"

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** The 16 bits of the bfloat16 nearest to `x`, ties to even. */
export const roundToBfloat16Bits = (x: number): number => {
  float[0] = x
  if (Number.isNaN(x)) return 0x7fc0
  return (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) >>> 16
}

/** The 16 bits of the float16 nearest to `x`, ties to even. */
export const roundToFloat16Bits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00
  const value = toFloat16(x)
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const magnitude = Math.abs(value)
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00
  // Subnormals and zero count in units of 2^-24; the bits of the least normal number follow on from them.
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24)
  const exponent = Math.floor(Math.log2(magnitude))
  return sign | ((exponent + 15) << 10) | (magnitude / 2 ** (exponent - 10) - 1024)
}
