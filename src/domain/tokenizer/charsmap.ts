import { eachGrapheme } from "./graphemes.ts"
import type { Normalizer } from "./lowercase.ts"
import { TokenizerFault } from "./rule.ts"

/**
 * SentencePiece's precompiled normalization: a double-array trie over UTF-8 whose values are offsets into a block of
 * replacements that end in zero bytes. Layout: u32 size of the trie in bytes (little endian), the trie, the block.
 */
export const precompiled = (base64: string): Normalizer => {
  if (base64 === "") return (text) => text
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  const trieBytes = bytes.length >= 4 ? view.getUint32(0, true) : 0
  if (bytes.length < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length)
    throw new TokenizerFault("the Precompiled normalizer's charsmap is cut short")
  const units = new Uint32Array(trieBytes / 4)
  for (let i = 0; i < units.length; i++) units[i] = view.getUint32(4 + 4 * i, true)
  return normalizeBy(units, bytes.subarray(4 + trieBytes))
}

const utf8 = new TextEncoder()
const text8 = new TextDecoder("utf-8", { ignoreBOM: true })
/** Of a unit of the double array: the label it is reached by, whether it has a value, where its children begin. */
const label = (unit: number) => unit & 0x800000ff
const hasLeaf = (unit: number) => ((unit >>> 8) & 1) === 1
const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6)

const normalizeBy = (units: Uint32Array, block: Uint8Array): Normalizer => {
  /** The replacement of the shortest known prefix of `part`, as the reference takes it. */
  const lookUp = (part: string): string | undefined => {
    let node = offset(units[0] ?? 0)
    for (const byte of utf8.encode(part)) {
      node ^= byte
      const unit = units[node]
      if (unit === undefined || label(unit) !== byte) return undefined
      node ^= offset(unit)
      if (!hasLeaf(unit)) continue
      const start = (units[node] ?? 0) & 0x7fffffff
      const end = block.indexOf(0, start)
      return text8.decode(block.subarray(start, end < 0 ? block.length : end))
    }
    return undefined
  }
  const cache = new Map<string, string>()
  /** A grapheme of at most five bytes is looked up whole first, then its characters one by one. */
  const replace = (grapheme: string): string => {
    if (utf8.encode(grapheme).length < 6) {
      const whole = lookUp(grapheme)
      if (whole !== undefined) return whole
    }
    let out = ""
    for (const char of grapheme) out += lookUp(char) ?? char
    return out
  }
  return (text) => {
    let out = ""
    eachGrapheme(text, (grapheme) => {
      let known = cache.get(grapheme)
      if (known === undefined) {
        known = replace(grapheme)
        if (cache.size < 0x10000) cache.set(grapheme, known)
      }
      out += known
    })
    return out
  }
}
