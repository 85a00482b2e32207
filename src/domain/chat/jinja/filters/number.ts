import { type Native, takes } from "../arguments.ts"
import type { Run } from "../run.ts"
import { repr } from "../show.ts"
import { floatOf, isFloat, numberOf, truthy, typeName, Undefined, type Value } from "../value.ts"
import { stripBoth } from "../whitespace.ts"

const digits: Readonly<Record<number, RegExp>> = { 2: /^[01]+$/, 8: /^[0-7]+$/, 10: /^\d+$/, 16: /^[\da-f]+$/ }

/** A text as Python's int reads it in a base; undefined when it is none. */
const parseInteger = (text: string, base: number): number | undefined => {
  const plain = stripBoth(text)
    .replace(/(?<=\d)_(?=\d)/g, "")
    .toLowerCase()
  const sign = plain.startsWith("-") ? -1 : 1
  const magnitude = plain
    .replace(/^[+-]/, "")
    .replace(base === 16 ? /^0x/ : base === 2 ? /^0b/ : base === 8 ? /^0o/ : /^$/, "")
  const known = digits[base]
  return known?.test(magnitude) === true ? sign * Number.parseInt(magnitude, base) + 0 : undefined
}

const parseFloating = (text: string): number | undefined => {
  const plain = stripBoth(text).toLowerCase()
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain)) return Number(plain)
  if (!/^[+-]?(inf|infinity|nan)$/.test(plain)) return undefined
  return plain.endsWith("nan")
    ? Number.NaN
    : plain.startsWith("-")
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY
}

const toInteger = (_run: Run, value: Value, [otherwise = 0, base = 10]: ReadonlyArray<Value | undefined>): Value => {
  const number =
    typeof value === "string" ? (parseInteger(value, numberOf(base) ?? 10) ?? parseFloating(value)) : numberOf(value)
  return number === undefined || !Number.isFinite(number) ? otherwise : Math.trunc(number)
}

const toFloat = (_run: Run, value: Value, [otherwise = floatOf(0)]: ReadonlyArray<Value | undefined>): Value => {
  const number = typeof value === "string" ? parseFloating(value) : numberOf(value)
  return number === undefined ? otherwise : floatOf(number)
}

/** To the nearest, halves to the even side, as Python rounds. */
const nearest = (value: number, precision: number): number => {
  if (precision < 0 || Math.abs(value) >= 1e21) return Math.round(value * 10 ** precision) / 10 ** precision
  // toFixed sees the exact binary value, and only its ties go up: a half is one digit 5 with nothing behind it.
  const digits = Math.abs(value).toFixed(precision + 30)
  const kept = digits.slice(0, digits.length - 30).replace(/\.$/, "")
  const half = /^50*$/.test(digits.slice(digits.length - 30))
  if (!half || /[13579]$/.test(kept)) return Number(value.toFixed(precision))
  return value < 0 ? -Number(kept) : Number(kept)
}

const round = (run: Run, value: Value, [precision = 0, method = "common"]: ReadonlyArray<Value | undefined>): Value => {
  const number = numberOf(value) ?? run.fail(`a '${typeName(value)}' cannot be rounded`)
  const places = Math.max(-20, Math.min(20, numberOf(precision) ?? 0))
  if (method === "common")
    return isFloat(value) || typeof value === "number" ? floatOrInt(value, nearest(number, places)) : number
  const scale = 10 ** places
  if (method === "ceil") return floatOf(Math.ceil(number * scale) / scale)
  return method === "floor"
    ? floatOf(Math.floor(number * scale) / scale)
    : run.fail("round: method is common, ceil or floor")
}

/** Python's round of an int with a precision is an int. */
const floatOrInt = (given: Value, value: number): Value => (isFloat(given) ? floatOf(value) : value)

export const numberFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ["int", takes("int", ["default", "base"], toInteger)],
  ["float", takes("float", ["default"], toFloat)],
  ["round", takes("round", ["precision", "method"], round)],
  [
    "abs",
    takes("abs", [], (run, value) => {
      const number = Math.abs(numberOf(value) ?? run.fail(`bad operand type for abs(): '${typeName(value)}'`))
      return isFloat(value) ? floatOf(number) : number
    })
  ],
  ...["default", "d"].map((name) => [name, takes(name, ["default_value", "boolean"], orDefault)] as const),
  ["pprint", takes("pprint", [], (run, value) => repr(run, value))]
])

function orDefault(
  _run: Run,
  value: Value,
  [otherwise = "", boolean = false]: ReadonlyArray<Value | undefined>
): Value {
  return value instanceof Undefined || (truthy(boolean) && !truthy(value)) ? otherwise : value
}
