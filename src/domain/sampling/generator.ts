/** High word of the 64-bit product of two unsigned 32-bit words. */
const mulHigh = (a: number, b: number): number => {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = (middle % 0x10000) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0
}

/** Philox4x32-10 (Salmon et al. 2011): four random words of a 64-bit key and a 128-bit counter. */
export const philox = (key: readonly [number, number], counter: readonly [number, number, number, number]) => {
  let [keyLow, keyHigh] = key
  let [c0, c1, c2, c3] = counter
  for (let round = 0; round < 10; round++) {
    const [aHigh, aLow] = [mulHigh(0xd2511f53, c0), Math.imul(0xd2511f53, c0) >>> 0]
    const [bHigh, bLow] = [mulHigh(0xcd9e8d57, c2), Math.imul(0xcd9e8d57, c2) >>> 0]
    c0 = (bHigh ^ c1 ^ keyLow) >>> 0
    c1 = bLow
    c2 = (aHigh ^ c3 ^ keyHigh) >>> 0
    c3 = aLow
    keyLow = (keyLow + 0x9e3779b9) >>> 0
    keyHigh = (keyHigh + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3] as const
}

/**
 * The uniform number in [0, 1), 53 bits, that draws output token `outputIndex` under a seed. It is a pure function of the
 * two, so no batch, order or backend can change a draw. The native twin is src/native/cpu/kernels/philox.h.
 */
export const uniform = (seedLow: number, seedHigh: number, outputIndex: number): number => {
  const [high, low] = philox([seedLow >>> 0, seedHigh >>> 0], [outputIndex >>> 0, 0, 0, 0])
  return (high * 0x200000 + (low >>> 11)) * 2 ** -53
}
