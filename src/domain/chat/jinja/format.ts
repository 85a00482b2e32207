import { repr, show } from "./show.ts"
import { type Host, isDict, numberOf, type Text, typeName, type Value } from "./value.ts"

const directive = /%(?:\(([^()]*)\))?([-+ 0#]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g

const exponential = (value: number, precision: number): string =>
  value.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2")

const general = (value: number, precision: number): string => {
  const digits = Math.max(precision, 1)
  const exponent = value === 0 ? 0 : Number(value.toExponential(digits - 1).split("e")[1])
  if (exponent < -4 || exponent >= digits) return exponential(value, digits - 1).replace(/\.?0+e/, "e")
  const fixed = value.toFixed(digits - 1 - exponent)
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed
}

/** Digits of a magnitude, as each letter of a directive asks for them. */
const digits: Readonly<Record<string, (magnitude: number, precision: number) => string>> = {
  f: (magnitude, precision) => magnitude.toFixed(precision),
  e: exponential,
  g: general,
  d: (magnitude) => String(Math.trunc(magnitude)),
  i: (magnitude) => String(Math.trunc(magnitude)),
  x: (magnitude) => Math.trunc(magnitude).toString(16),
  o: (magnitude) => Math.trunc(magnitude).toString(8)
}

const signOf = (number: number, flags: string): string =>
  number < 0 ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : ""

/** One value in its field. */
const written = (host: Host, value: Value, flags: string, width: number, places: string | undefined, type: string) => {
  const { run } = host
  run.spendOn(width)
  if (Number(places ?? 0) > 100) run.exceed("a format asks for more than 100 digits")
  if (type === "s" || type === "r") {
    const text = Array.from(type === "s" ? show(host, value) : repr(host, value)).slice(
      0,
      places === undefined ? undefined : Number(places)
    )
    return flags.includes("-") ? text.join("").padEnd(width) : text.join("").padStart(width)
  }
  const number = numberOf(value) ?? run.fail(`a number is required for %${type}, not ${typeName(value)}`)
  const shape = digits[type.toLowerCase()] ?? run.fail(`unsupported format character '${type}'`)
  const shown = shape(Math.abs(number), Number(places ?? 6))
  const body = type === type.toLowerCase() ? shown : shown.toUpperCase()
  const sign = signOf(number, flags)
  if (flags.includes("-")) return (sign + body).padEnd(width)
  return flags.includes("0") ? sign + body.padStart(width - sign.length, "0") : (sign + body).padStart(width)
}

/** Python's `template % values`. */
export const formatPercent = (host: Host, template: string, values: Value): Text => {
  const { run, make } = host
  const list = values.type === "TupleValue" ? values.value : [values]
  let at = 0
  const text = run.text(template).replace(directive, (_, name, flags, width, places, type) => {
    if (type === "%") return "%"
    const value = name === undefined ? list[at++] : isDict(values) ? values.value.get(name) : undefined
    if (value === undefined) return run.fail("not enough arguments for format string")
    return run.text(written(host, value, flags, Number(width ?? 0), places, type))
  })
  if (at < list.length && !isDict(values)) run.fail("not all arguments converted during string formatting")
  return make.text(run.text(text))
}
