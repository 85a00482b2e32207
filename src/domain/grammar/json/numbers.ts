import { between, digits } from "../charset.ts"
import { alt, chars, type Expr, empty, never, optional, ref, repeat, seq, text } from "../expr.ts"

const digit = chars(digits)
const digitsOf = (count: number) => repeat(digit, count, count)
const range = (first: number, last: number): Expr => (first > last ? never : chars(between(`${first}`, `${last}`)))

/** Digit strings of one length from `low` to `high`; undefined: no bound. */
const sameLength = (low: string | undefined, high: string | undefined, length: number, at = 0): Expr => {
  if (at === length) return empty
  if (low === undefined && high === undefined) return digitsOf(length - at)
  const [a, b] = [Number(low?.[at] ?? 0), Number(high?.[at] ?? 9)]
  if (low !== undefined && high !== undefined && a === b)
    return seq(text(`${a}`), sameLength(low, high, length, at + 1))
  return alt(
    ...(low === undefined ? [] : [seq(text(`${a}`), sameLength(low, undefined, length, at + 1))]),
    seq(range(low === undefined ? 0 : a + 1, high === undefined ? 9 : b - 1), digitsOf(length - at - 1)),
    ...(high === undefined ? [] : [seq(text(`${b}`), sameLength(undefined, high, length, at + 1))])
  )
}

/** Whole numbers from low to high, both at least 0, without leading zeros. */
const naturals = (low: bigint, high: bigint): Expr => {
  if (low > high) return never
  const [first, last] = [low.toString(), high.toString()]
  const parts: Array<Expr> = []
  for (let length = first.length; length <= last.length; length++) {
    const least = length === first.length ? first : `1${"0".repeat(length - 1)}`
    parts.push(sameLength(least, length === last.length ? last : undefined, length))
  }
  return alt(...parts)
}

const larger = (a: bigint, b: bigint) => (a > b ? a : b)
const smaller = (a: bigint, b: bigint) => (a < b ? a : b)

/** Whole numbers from low to high; never -0. */
export const integersBetween = (low: bigint, high: bigint): Expr => {
  const below = seq(text("-"), naturals(larger(1n, -high), -low))
  const above = naturals(larger(0n, low), high)
  return alt(...(low < 0n ? [below] : []), ...(high >= 0n ? [above] : []))
}

/** `.ddd` of 1 to `places` digits, or nothing, whose value lies between two strings of `places` digits; undefined: no bound. */
const fraction = (low: string | undefined, high: string | undefined, places: number): Expr => {
  const from = (at: number, low: string | undefined, high: string | undefined): Expr => {
    const mayEnd = low === undefined || /^0*$/.test(low.slice(at))
    if (at === places) return mayEnd ? empty : never
    if (low === undefined && high === undefined) return repeat(digit, at === 0 ? 1 : 0, places - at)
    const [a, b] = [Number(low?.[at] ?? 0), Number(high?.[at] ?? 9)]
    const going =
      low !== undefined && high !== undefined && a === b
        ? seq(text(`${a}`), from(at + 1, low, high))
        : alt(
            ...(low === undefined ? [] : [seq(text(`${a}`), from(at + 1, low, undefined))]),
            seq(
              range(low === undefined ? 0 : a + 1, high === undefined ? 9 : b - 1),
              repeat(digit, 0, places - at - 1)
            ),
            ...(high === undefined ? [] : [seq(text(`${b}`), from(at + 1, undefined, high))])
          )
    // The first digit behind the point has to stand.
    return mayEnd && at > 0 ? optional(going) : going
  }
  const written = seq(text("."), from(0, low, high))
  return low === undefined || /^0*$/.test(low) ? optional(written) : written
}

/** Decimals of `places` digits behind the point at most, from low to high, both at least 0 and in units of the last place. */
const decimals = (low: bigint, high: bigint, places: number): Expr => {
  if (low > high) return never
  const unit = 10n ** BigInt(places)
  const [whole, lastWhole] = [low / unit, high / unit]
  const behind = (value: bigint) => (value % unit).toString().padStart(places, "0")
  if (whole === lastWhole) return seq(text(`${whole}`), fraction(behind(low), behind(high), places))
  return alt(
    seq(text(`${whole}`), fraction(behind(low), undefined, places)),
    seq(naturals(whole + 1n, lastWhole - 1n), fraction(undefined, undefined, places)),
    seq(text(`${lastWhole}`), fraction(undefined, behind(high), places))
  )
}

/** Decimals from low to high, in units of the last of `places` places. */
export const decimalsBetween = (low: bigint, high: bigint, places: number): Expr => {
  const below = seq(text("-"), decimals(larger(1n, -high), -low, places))
  const above = decimals(larger(0n, low), high, places)
  return alt(...(low < 0n ? [below] : []), ...(high >= 0n ? [above] : []))
}

/**
 * Multiples of `step` from low to high as a rule for each remainder and count of digits left: texts are read from the left, and
 * the bounds are kept tight digit by digit. Answers the rules under names that begin with `name`.
 */
export const multiplesBetween = (low: bigint, high: bigint, step: bigint, name: string): ReadonlyMap<string, Expr> => {
  const rules = new Map<string, Expr>()
  const rest = (
    low: string,
    high: string,
    at: number,
    lowTight: boolean,
    highTight: boolean,
    remainder: bigint
  ): Expr => {
    if (at === low.length) return remainder === 0n ? empty : never
    const bounds = `${lowTight ? low.slice(at) : ""}.${highTight ? high.slice(at) : ""}`
    const key = `${name}/${low.length - at}.${bounds}.${remainder}`
    if (rules.has(key)) return ref(key)
    rules.set(key, never)
    const items: Array<Expr> = []
    for (let d = lowTight ? Number(low[at]) : 0; d <= (highTight ? Number(high[at]) : 9); d++) {
      const [tightLow, tightHigh] = [lowTight && d === Number(low[at]), highTight && d === Number(high[at])]
      const next = rest(low, high, at + 1, tightLow, tightHigh, (remainder * 10n + BigInt(d)) % step)
      items.push(seq(text(`${d}`), next))
    }
    rules.set(key, alt(...items))
    return ref(key)
  }
  const ofLengths = (low: bigint, high: bigint): Expr => {
    const items: Array<Expr> = []
    for (let length = low.toString().length; low <= high && length <= high.toString().length; length++) {
      const [least, most] = [10n ** BigInt(length - 1), 10n ** BigInt(length) - 1n]
      const first = larger(low, length === 1 ? 0n : least)
      items.push(rest(first.toString(), smaller(high, most).toString(), 0, true, true, 0n))
    }
    return alt(...items)
  }
  const below = low < 0n ? [seq(text("-"), ofLengths(larger(1n, -high), -low))] : []
  rules.set(name, alt(...below, ...(high >= 0n ? [ofLengths(larger(0n, low), high)] : [])))
  return rules
}
