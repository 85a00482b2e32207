/** Sets of token ids: bit id % 32 of word id / 32. */
export const setBit = (words: Uint32Array, id: number): void => {
  words[id >>> 5]! |= 1 << (id & 31)
}

export const clearBit = (words: Uint32Array, id: number): void => {
  words[id >>> 5]! &= ~(1 << (id & 31))
}

export const hasBit = (words: Uint32Array, id: number): boolean => ((words[id >>> 5]! >>> (id & 31)) & 1) !== 0

export const orInto = (words: Uint32Array, more: Uint32Array): void => {
  for (let i = 0; i < words.length; i++) words[i]! |= more[i]!
}

/** The ids of a set that has few; undefined when they are more than `most`. */
export const fewBits = (words: Uint32Array, most: number): Int32Array | undefined => {
  const ids: Array<number> = []
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!
    while (word !== 0) {
      const low = 31 - Math.clz32(word & -word)
      ids.push(32 * i + low)
      if (ids.length > most) return undefined
      word &= word - 1
    }
  }
  return Int32Array.from(ids)
}
