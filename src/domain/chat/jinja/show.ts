import { type Host, isText, type Value } from "./value.ts"

/** Python's repr of a float: shortest digits, an exponent below 1e-4 and from 1e16 on. */
const showFloat = (value: number): string => {
  if (Number.isNaN(value)) return "nan"
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf"
  const [digits = "", power = "0"] = value.toExponential().split("e")
  const exponent = Number(power)
  if (value !== 0 && (exponent < -4 || exponent >= 16))
    return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`
  const plain = Object.is(value, -0) ? "-0" : String(value)
  return plain.includes(".") ? plain : `${plain}.0`
}

export const showNumber = (value: number, float: boolean): string => {
  if (float) return showFloat(value)
  return Math.abs(value) < 1e21 ? String(value + 0) : BigInt(value).toString()
}

/** What repr writes as an escape. */
const unprintable = /[\\'"]|(?! )[\p{C}\p{Z}]/gu
const named: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const quoted = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const inner = text.replace(unprintable, (char) => {
    if (char === "'" || char === '"') return char === quote ? `\\${char}` : char
    const code = char.codePointAt(0)!
    const [mark, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8]
    return named[char] ?? `\\${mark}${code.toString(16).padStart(width, "0")}`
  })
  return quote + inner + quote
}

const showEntries = (host: Host, entries: ReadonlyMap<string, Value>): string =>
  `{${Array.from(entries, ([key, value]) => `${quoted(key)}: ${repr(host, value)}`).join(", ")}}`

const showContainer = (host: Host, value: Value): string => {
  switch (value.type) {
    case "ArrayValue":
      return `[${value.value.map((item) => repr(host, item)).join(", ")}]`
    case "TupleValue":
      return `(${value.value.map((item) => repr(host, item)).join(", ")}${value.value.length === 1 ? "," : ""})`
    case "ObjectValue":
    case "KeywordArgumentsValue":
      return showEntries(host, value.value)
    case "NamespaceValue":
      return `<Namespace ${showEntries(host, value.value)}>`
    default:
      return "<function>"
  }
}

/** A value as Python's repr writes it: how it stands within a list or a dict. */
export const repr = (host: Host, value: Value): string => {
  const { run } = host
  switch (value.type) {
    case "StringValue":
      return run.text(quoted(value.value))
    case "NullValue":
      return "None"
    case "BooleanValue":
      return value.value ? "True" : "False"
    case "IntegerValue":
    case "FloatValue":
      return showNumber(value.value, value.type === "FloatValue")
    case "UndefinedValue":
      return "Undefined"
    default:
      return run.text(run.nested(() => showContainer(host, value)))
  }
}

/** A value as Python's str writes it: how a template prints it. */
export const show = (host: Host, value: Value): string => {
  if (isText(value)) return value.value
  return value.type === "UndefinedValue" ? "" : repr(host, value)
}
