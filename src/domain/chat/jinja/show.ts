import type { Run } from "./run.ts"
import { Callable, Float, isFloat, Namespace, Tuple, typeName, Undefined, type Value } from "./value.ts"

/** Python's repr of a float: shortest digits, an exponent below 1e-4 and from 1e16 on. */
export const showFloat = (value: number): string => {
  if (Number.isNaN(value)) return "nan"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  const [digits = "", power = "0"] = value.toExponential().split("e")
  const exponent = Number(power)
  if (value !== 0 && (exponent < -4 || exponent >= 16))
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`
  const plain = Object.is(value, -0) ? "-0" : String(value)
  return plain.includes(".") ? plain : `${plain}.0`
}

export const showNumber = (value: number | Float): string => {
  if (value instanceof Float) return showFloat(value.value)
  if (isFloat(value)) return showFloat(value)
  return Math.abs(value) < 1e21 ? String(value + 0) : BigInt(value).toString()
}

const quoted = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const inner = text.replace(unprintable, (char) => {
    if (char === "\\") return "\\\\"
    if (char === "\n") return "\\n"
    if (char === "\r") return "\\r"
    if (char === "\t") return "\\t"
    if (char === "'" || char === '"') return char === quote ? `\\${char}` : char
    const code = char.codePointAt(0)!
    const [mark, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8]
    return `\\${mark}${code.toString(16).padStart(width, "0")}`
  })
  return quote + inner + quote
}

const showEntries = (run: Run, entries: Iterable<readonly [Value, Value]>): string =>
  `{${Array.from(entries, ([key, value]) => `${repr(run, key)}: ${repr(run, value)}`).join(", ")}}`

const showItems = (run: Run, items: ReadonlyArray<Value>): string => {
  const inner = Array.from(items, (item) => repr(run, item)).join(", ")
  if (!(items instanceof Tuple)) return `[${inner}]`
  return items.length === 1 ? `(${inner},)` : `(${inner})`
}

/** What repr writes as an escape. */
const unprintable = /[\\'"]|(?! )[\p{C}\p{Z}]/gu

/** A value as Python's repr writes it: how it stands within a list or a dict. */
export const repr = (run: Run, value: Value): string => {
  if (typeof value === "string") return run.text(quoted(value))
  if (value === null) return "None"
  if (typeof value === "boolean") return value ? "True" : "False"
  if (typeof value === "number" || value instanceof Float) return showNumber(value)
  if (value instanceof Undefined) return "Undefined"
  if (value instanceof Callable) return `<function ${value.name}>`
  return run.text(
    run.nested(() => {
      if (Array.isArray(value)) return showItems(run, value)
      if (value instanceof Map) return showEntries(run, value)
      return value instanceof Namespace
        ? `<Namespace ${showEntries(run, value.attributes)}>`
        : `<${typeName(value)} object>`
    })
  )
}

/** A value as Python's str writes it: how a template prints it. */
export const show = (run: Run, value: Value): string => {
  if (typeof value === "string") return value
  return value instanceof Undefined ? "" : repr(run, value)
}
