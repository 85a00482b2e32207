/** Code points as inclusive ranges: sorted, disjoint, not touching. Surrogates are in none of them. */
export type Ranges = ReadonlyArray<readonly [first: number, last: number]>

const surrogates: Ranges = [[0xd800, 0xdfff]]
const lastCodePoint = 0x10ffff

/** Any character. */
export const everything: Ranges = [
  [0, 0xd7ff],
  [0xe000, lastCodePoint]
]

const joined = (ranges: Ranges): Ranges => {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  const out: Array<[number, number]> = []
  for (const [first, last] of sorted) {
    const before = out.at(-1)
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else out.push([first, last])
  }
  return out
}

export const subtract = (from: Ranges, what: Ranges): Ranges => {
  const out: Array<readonly [number, number]> = []
  for (const [first, last] of from) {
    let start = first
    for (const [a, b] of what) {
      if (b < start || a > last) continue
      if (a > start) out.push([start, a - 1])
      start = b + 1
    }
    if (start <= last) out.push([start, last])
  }
  return out
}

/** The characters of several sets together, given in any order. */
export const union = (...sets: ReadonlyArray<Ranges>): Ranges => subtract(joined(sets.flat()), surrogates)

export const negate = (ranges: Ranges): Ranges => subtract(everything, union(ranges))

export const intersect = (a: Ranges, b: Ranges): Ranges => subtract(a, negate(b))

export const contains = (ranges: Ranges, codePoint: number): boolean =>
  ranges.some(([first, last]) => codePoint >= first && codePoint <= last)

/** The characters of a text as a set. */
export const oneOf = (text: string): Ranges =>
  union([...text].map((char) => [char.codePointAt(0)!, char.codePointAt(0)!]))

export const between = (first: string, last: string): Ranges => [[first.codePointAt(0)!, last.codePointAt(0)!]]

export const digits = between("0", "9")
export const wordChars = union(digits, between("A", "Z"), between("a", "z"), oneOf("_"))
/** ECMAScript's white space and line ends. */
export const spaces = union(
  oneOf(" \t\n\r\v\f\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"),
  between("\u2000", "\u200a")
)
export const lineEnds = oneOf("\n\r\u2028\u2029")

/** Byte ranges, one behind the other, whose strings are the UTF-8 of a stretch of code points. */
export type ByteSequence = ReadonlyArray<readonly [low: number, high: number]>

const sizeLimits = [0x7f, 0x7ff, 0xffff, lastCodePoint]

const bytesOf = (codePoint: number): Array<number> => {
  if (codePoint < 0x80) return [codePoint]
  if (codePoint < 0x800) return [0xc0 | (codePoint >> 6), 0x80 | (codePoint & 63)]
  const tail = [0x80 | ((codePoint >> 6) & 63), 0x80 | (codePoint & 63)]
  if (codePoint < 0x10000) return [0xe0 | (codePoint >> 12), ...tail]
  return [0xf0 | (codePoint >> 18), 0x80 | ((codePoint >> 12) & 63), ...tail]
}

/** Cuts [first, last], all of one length in UTF-8, until each piece is a product of byte ranges. */
const split = (first: number, last: number, out: Array<ByteSequence>) => {
  const size = bytesOf(first).length
  for (let tail = 1; tail < size; tail++) {
    const mask = (1 << (6 * tail)) - 1
    if ((first & ~mask) === (last & ~mask)) continue
    if ((first & mask) !== 0) {
      split(first, first | mask, out)
      split((first | mask) + 1, last, out)
      return
    }
    if ((last & mask) !== mask) {
      split(first, (last & ~mask) - 1, out)
      split(last & ~mask, last, out)
      return
    }
  }
  const low = bytesOf(first)
  const high = bytesOf(last)
  out.push(low.map((byte, at) => [byte, high[at]!]))
}

export const utf8Sequences = (ranges: Ranges): Array<ByteSequence> => {
  const out: Array<ByteSequence> = []
  for (const [first, last] of ranges) {
    let start = first
    for (const limit of sizeLimits) {
      if (start > last) break
      if (start > limit) continue
      split(start, Math.min(last, limit), out)
      start = limit + 1
    }
  }
  return out
}
