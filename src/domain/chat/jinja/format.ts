import type { Run } from "./run.ts"
import { repr, show } from "./show.ts"
import { Float, numberOf, Tuple, typeName, type Value } from "./value.ts"

/** How one value is to be written: the parts that `%5.2f` and `{:>5.2f}` share. */
export interface Spec {
  readonly align: string
  readonly fill: string
  readonly sign: string
  readonly width: number
  readonly precision: number | undefined
  readonly type: string
}

const exponential = (value: number, precision: number): string =>
  value.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2")

const general = (value: number, precision: number): string => {
  const digits = Math.max(precision, 1)
  const exponent = value === 0 ? 0 : Number(value.toExponential(digits - 1).split("e")[1])
  if (exponent < -4 || exponent >= digits) return exponential(value, digits - 1).replace(/\.?0+e/, "e")
  const fixed = value.toFixed(digits - 1 - exponent)
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed
}

const digitsOf = (run: Run, value: Value, { type, precision = 6 }: Spec): string => {
  const number = numberOf(value) ?? run.fail(`a number is required for %${type}, not ${typeName(value)}`)
  const magnitude = Math.abs(number)
  switch (type.toLowerCase()) {
    case "f":
      return magnitude.toFixed(precision)
    case "e":
      return exponential(magnitude, precision)
    case "g":
      return general(magnitude, precision)
    case "%":
      return `${(magnitude * 100).toFixed(precision)}%`
    case "x":
      return Math.trunc(magnitude).toString(16)
    case "o":
      return Math.trunc(magnitude).toString(8)
    case "b":
      return Math.trunc(magnitude).toString(2)
    case "d":
    case "i":
    case "u":
      return String(Math.trunc(magnitude))
    default:
      return run.fail(`unsupported format character '${type}'`)
  }
}

/** A field may ask for white space without end. */
const bounded = (run: Run, spec: Spec): Spec => {
  run.spendOn(spec.width)
  if ((spec.precision ?? 0) > 100) run.exceed("a format asks for more than 100 digits")
  return spec
}

/** Writes one value into its field. */
export const formatValue = (run: Run, value: Value, given: Spec): string => {
  const spec = bounded(run, given)
  const textual = spec.type === "s" || spec.type === "r" || spec.type === "a"
  let body: string
  let sign = ""
  if (textual) {
    const text = spec.type === "s" ? show(run, value) : repr(run, value)
    body = spec.precision === undefined ? text : Array.from(text).slice(0, spec.precision).join("")
  } else {
    body = digitsOf(run, value, spec)
    sign = numberOf(value)! < 0 ? "-" : spec.sign === "-" ? "" : spec.sign
    if (spec.type === "X" || spec.type === "E" || spec.type === "G") body = body.toUpperCase()
  }
  const room = spec.width - sign.length - Array.from(body).length
  if (room <= 0) return sign + body
  const pad = spec.fill.repeat(room)
  if (spec.align === "<") return sign + body + pad
  if (spec.align === "^") return spec.fill.repeat(room >> 1) + sign + body + spec.fill.repeat(room - (room >> 1))
  return spec.align === "=" ? sign + pad + body : pad + sign + body
}

const directive = /%(?:\(([^)]*)\))?([-+ 0#]*)(\*|\d+)?(?:\.(\d+))?[hlL]?([a-zA-Z%])/g

const percentSpec = (flags: string, width: string | undefined, precision: string | undefined, type: string): Spec => ({
  align: flags.includes("-") ? "<" : flags.includes("0") && type !== "s" ? "=" : ">",
  fill: flags.includes("0") && !flags.includes("-") && type !== "s" ? "0" : " ",
  sign: flags.includes("+") ? "+" : flags.includes(" ") ? " " : "",
  width: Number(width ?? 0),
  precision: precision === undefined ? undefined : Number(precision),
  type
})

/** Python's `template % values`. */
export const formatPercent = (run: Run, template: string, values: Value): string => {
  const list = values instanceof Tuple ? [...values] : [values]
  let at = 0
  const take = (): Value => (at < list.length ? list[at++]! : run.fail("not enough arguments for format string"))
  run.spendOn(template.length)
  const text = template.replace(
    directive,
    (_whole, name?: string, flags = "", width?: string, digits?: string, type = "s") => {
      if (type === "%") return "%"
      const wide = width === "*" ? String(numberOf(take()) ?? 0) : width
      const value = name === undefined ? take() : values instanceof Map ? values.get(name) : undefined
      if (value === undefined) return run.fail(`format requires a mapping with the key '${name}'`)
      return run.text(formatValue(run, value, percentSpec(flags, wide, digits, type)))
    }
  )
  if (at < list.length && !(values instanceof Map)) run.fail("not all arguments converted during string formatting")
  return run.text(text)
}

/** What `{:spec}` says; `undefined` when it is no spec. */
export const parseSpec = (spec: string, value: Value): Spec | undefined => {
  const found = /^(?:(.)?([<>^=]))?([-+ ])?(0)?(\d+)?(?:\.(\d+))?([a-zA-Z%])?$/su.exec(spec)
  if (found === null) return undefined
  const [, fill, align, sign = "", zero, width, digits, type] = found
  const textual = numberOf(value) === undefined || (typeof value === "boolean" && type === undefined)
  const plain = value instanceof Float || (typeof value === "number" && !Number.isInteger(value)) ? "s" : "d"
  return {
    align: align ?? (zero === undefined ? (textual ? "<" : ">") : "="),
    fill: fill ?? (zero === undefined ? " " : "0"),
    sign,
    width: Number(width ?? 0),
    precision: digits === undefined ? undefined : Number(digits),
    type: type ?? (textual ? "s" : plain === "s" && digits !== undefined ? "g" : plain)
  }
}
