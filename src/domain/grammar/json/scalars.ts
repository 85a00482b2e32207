import { contains, intersect } from "../charset.ts"
import { alt, chars, type Expr, never, ref, repeat, seq, text } from "../expr.ts"
import { GrammarFault } from "../fault.ts"
import { withLength } from "../regex/length.ts"
import { parseRegex } from "../regex/parse.ts"
import { formats } from "./formats.ts"
import { decimalsBetween, integersBetween, multiplesBetween } from "./numbers.ts"
import { character, plain, quoted, stringRule } from "./rules.ts"
import { below, type SchemaObject, schemaFault, unsupported } from "./schema.ts"

/** Characters with a short escape of their own. */
const escapes = new Map([...'"\\\b\f\n\r\t'].map((char) => [char.codePointAt(0)!, JSON.stringify(char).slice(1, -1)]))
const controls = Array.from({ length: 32 }, (_, code) => code)

/** An expression over characters as one over their spellings in a JSON string. */
const spelled = (expr: Expr): Expr => {
  switch (expr.kind) {
    case "text":
      return text(JSON.stringify(expr.text).slice(1, -1))
    case "chars": {
      const escaped = [...controls, 0x22, 0x5c].filter((code) => contains(expr.ranges, code))
      const spell = (code: number) => escapes.get(code) ?? `\\u00${code.toString(16).padStart(2, "0")}`
      return alt(chars(intersect(expr.ranges, plain)), ...escaped.map((code) => text(spell(code))))
    }
    case "seq":
    case "alt":
      return { kind: expr.kind, items: expr.items.map(spelled) }
    case "repeat":
      return { ...expr, body: spelled(expr.body) }
    default:
      return expr
  }
}

const patternExpr = (pattern: string, whole: boolean, at: string, keyword: string): Expr => {
  try {
    return parseRegex(pattern, whole)
  } catch (fault) {
    if (!(fault instanceof GrammarFault)) throw fault
    throw new GrammarFault(below(at, keyword), fault.given, fault.expected, fault.mend)
  }
}

export const stringOf = (schema: SchemaObject, at: string): Expr => {
  const { pattern: given, format } = schema as { readonly pattern?: string; readonly format?: string }
  // Some schemas say a format twice: by name, and as the very pattern that it has here.
  const twice = format !== undefined && Object.hasOwn(formats, format) && given === `^${formats[format]}$`
  const pattern = twice ? undefined : given
  const min = (schema.minLength ?? 0) as number
  const max = (schema.maxLength ?? Number.POSITIVE_INFINITY) as number
  if (min > max) return never
  if (pattern !== undefined && format !== undefined)
    throw unsupported(at, "pattern", pattern, "It stands beside format: state one of them.")
  if (pattern === undefined && format === undefined)
    return min === 0 && max === Number.POSITIVE_INFINITY ? ref(stringRule) : quoted(repeat(character, min, max))
  if (format !== undefined && !Object.hasOwn(formats, format))
    throw schemaFault(
      at,
      "format",
      format,
      `one of ${Object.keys(formats).join(", ")}`,
      "Leave it out and check the reply."
    )
  const whole = pattern === undefined
  const expr = patternExpr(pattern ?? formats[format!]!, whole, at, whole ? "format" : "pattern")
  const fitting = withLength(expr, min, max)
  if (fitting === undefined)
    throw unsupported(
      at,
      schema.maxLength === undefined ? "minLength" : "maxLength",
      schema.maxLength ?? schema.minLength,
      `It stands beside ${whole ? "format" : "pattern"}: let the pattern say how long the text may be.`
    )
  return quoted(spelled(fitting))
}

const mostSafe = BigInt(Number.MAX_SAFE_INTEGER)
const unbounded = 999_999_999_999_999n
const mostListed = 1000n
const greatestStep = 100n

/** The exact decimal that a double is written as: a whole number of units of the last of `places` places, and the rest's sign. */
const scaled = (value: number, places: number, up: boolean): bigint => {
  const [mantissa, exponent = "0"] = value.toString().split("e") as [string, string?]
  const [whole, behind = ""] = mantissa.replace("-", "").split(".") as [string, string?]
  const shift = Number(exponent) - behind.length + places
  const digits = BigInt(whole + behind) * (value < 0 ? -1n : 1n)
  if (shift >= 0) return digits * 10n ** BigInt(Math.min(shift, 400))
  const unit = 10n ** BigInt(Math.min(-shift, 400))
  const floor = digits / unit - (digits < 0n && digits % unit !== 0n ? 1n : 0n)
  return up && floor * unit !== digits ? floor + 1n : floor
}

/** Bounds in units of the last of `places` places, inclusive; undefined where there is none. */
const boundsOf = (schema: SchemaObject, places: number) => {
  const low = [schema.minimum, schema.exclusiveMinimum].map((bound, exclusive) => {
    if (bound === undefined) return undefined
    const least = scaled(bound as number, places, true)
    return exclusive === 1 && least === scaled(bound as number, places, false) ? least + 1n : least
  })
  const high = [schema.maximum, schema.exclusiveMaximum].map((bound, exclusive) => {
    if (bound === undefined) return undefined
    const most = scaled(bound as number, places, false)
    return exclusive === 1 && most === scaled(bound as number, places, true) ? most - 1n : most
  })
  const pick = (all: ReadonlyArray<bigint | undefined>, better: (a: bigint, b: bigint) => boolean) =>
    all.reduce((best, one) => (one === undefined || (best !== undefined && better(best, one)) ? best : one), undefined)
  return { low: pick(low, (a, b) => a >= b), high: pick(high, (a, b) => a <= b) }
}

const clamp = (value: bigint | undefined, otherwise: bigint, limit: bigint) => {
  if (value === undefined) return otherwise
  return value > limit ? limit : value < -limit ? -limit : value
}

/** A lower bound of a range with no upper one leaves room above it, and the other way round. */
const closed = ({ low, high }: ReturnType<typeof boundsOf>, span: bigint, limit: bigint) => ({
  low: clamp(low, high === undefined || high > -span ? -span : -limit, limit),
  high: clamp(high, low === undefined || low < span ? span : limit, limit)
})

const beyond = ({ low, high }: ReturnType<typeof boundsOf>, limit: bigint) =>
  (low !== undefined && low > limit) || (high !== undefined && high < -limit)

/** Numbers in their bounds. Exact: whole numbers by their digits, others as decimals that no double rounds together. */
export const numberOf = (schema: SchemaObject, at: string, whole: boolean, rules: Map<string, Expr>): Expr => {
  const step = schema.multipleOf as number | undefined
  if (step !== undefined && (step <= 0 || !Number.isInteger(step)))
    throw unsupported(
      at,
      "multipleOf",
      step,
      "Whole numbers above 0 can be enforced: scale the value, or check the reply."
    )
  if (whole || step !== undefined) return wholeNumbers(schema, at, BigInt(step ?? 1), rules)
  const limits = [schema.minimum, schema.exclusiveMinimum, schema.maximum, schema.exclusiveMaximum]
  if (limits.every((limit) => limit === undefined)) return ref("$json.number")
  // Whole digits and decimals are 15 together: as many as every double keeps apart.
  const size = Math.max(...limits.map((limit) => Math.abs((limit ?? 0) as number)))
  const wholeDigits = Math.max(size < 1 ? 1 : Math.floor(size).toString().length, openEnded(limits) ? 9 : 1)
  if (size > 1e14) throw unsupported(at, "maximum", size, "Bounds of numbers go to 1e14: use integer, or leave it out.")
  const places = 15 - wholeDigits
  const span = 10n ** BigInt(15) - 1n
  const { low, high } = closed(boundsOf(schema, places), span, span)
  return low > high ? never : decimalsBetween(low, high, places)
}

const openEnded = ([a, b, c, d]: ReadonlyArray<unknown>) =>
  (a === undefined && b === undefined) || (c === undefined && d === undefined)

const wholeNumbers = (schema: SchemaObject, at: string, step: bigint, rules: Map<string, Expr>): Expr => {
  const bounds = boundsOf(schema, 0)
  if (bounds.low === undefined && bounds.high === undefined && step === 1n) return ref("$json.integer")
  if (beyond(bounds, mostSafe))
    throw unsupported(at, "minimum", schema.minimum ?? schema.maximum, "Whole numbers go to 2^53 - 1 in JSON.")
  const { low, high } = closed(bounds, unbounded, mostSafe)
  if (low > high) return never
  if (step === 1n) return integersBetween(low, high)
  const up = (value: bigint) => (value >= 0n ? (value + step - 1n) / step : -(-value / step))
  const [first, last] = [up(low), -up(-high)]
  if (last - first < mostListed)
    return alt(
      ...Array.from({ length: Math.max(0, Number(last - first) + 1) }, (_, i) => text(`${(first + BigInt(i)) * step}`))
    )
  if (step > greatestStep)
    throw unsupported(
      at,
      "multipleOf",
      Number(step),
      `Steps above ${greatestStep} need bounds that leave ${mostListed} values.`
    )
  const name = `multiples of ${step} from ${low} to ${high}`
  for (const [key, expr] of multiplesBetween(low, high, step, name)) rules.set(key, expr)
  return seq(ref(name))
}
