import { type Native, takes } from "../arguments.ts"
import { isFloat, isMissing, isText, numberOf, truthy, typeName } from "../value.ts"
import { stripBoth } from "../whitespace.ts"

/** A text as Python's float reads it; undefined when it is none. */
const parseFloating = (text: string): number | undefined =>
  /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(stripBoth(text)) ? Number(stripBoth(text)) : undefined

/** A text as Python's int reads it in a base; undefined when it is none. */
const parseInteger = (text: string, base: number): number | undefined => {
  const plain = stripBoth(text)
    .toLowerCase()
    .replace(/(?<=\d)_(?=\d)/g, "")
    .replace(base === 16 ? /^([+-]?)0x/ : /^$/, "$1")
  const digits = "0123456789abcdefghijklmnopqrstuvwxyz".slice(0, base)
  return new RegExp(`^[+-]?[${digits}]+$`).test(plain) ? Number.parseInt(plain, base) + 0 : undefined
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

const round = takes(["precision", "method"], ({ run, make }, value, [precision, method]) => {
  const number = numberOf(value) ?? run.fail(`a '${typeName(value)}' cannot be rounded`)
  const places = Math.max(-20, Math.min(20, numberOf(precision) ?? 0))
  const how = method?.value ?? "common"
  if (how === "common") return (isFloat(value) ? make.float : make.int)(nearest(number, places))
  if (how !== "ceil" && how !== "floor") return run.fail("round: method is common, ceil or floor")
  const scale = 10 ** places
  return make.float(Math[how](number * scale) / scale)
})

const orDefault = takes(["default_value", "boolean"], ({ make }, value, [otherwise, boolean]) =>
  isMissing(value) || (truthy(boolean) && !truthy(value)) ? (otherwise ?? make.text("")) : value
)

export const numberFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  [
    "int",
    takes(["default", "base"], ({ make }, value, [otherwise, base]) => {
      const number = isText(value)
        ? (parseInteger(value.value, numberOf(base) ?? 10) ?? parseFloating(value.value))
        : numberOf(value)
      return number === undefined || !Number.isFinite(number)
        ? (otherwise ?? make.int(0))
        : make.int(Math.trunc(number))
    })
  ],
  [
    "float",
    takes(["default"], ({ make }, value, [otherwise]) => {
      const number = isText(value) ? parseFloating(value.value) : numberOf(value)
      return number === undefined ? (otherwise ?? make.float(0)) : make.float(number)
    })
  ],
  ["round", round],
  ["default", orDefault],
  ["d", orDefault]
])
