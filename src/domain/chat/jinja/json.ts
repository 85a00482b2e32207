import type { Run } from "./run.ts"
import { showNumber } from "./show.ts"
import { Float, typeName, type Value } from "./value.ts"

/** What `tojson` may be told: the arguments of Python's json.dumps that transformers passes on. */
export interface JsonStyle {
  readonly ascii: boolean
  /** White space of one level; undefined writes everything on one line. */
  readonly indent: string | undefined
  readonly itemSeparator: string
  readonly keySeparator: string
  readonly sortKeys: boolean
}

const named: Readonly<Record<string, string>> = { nan: "NaN", inf: "Infinity", "-inf": "-Infinity" }

const text = (value: string, { ascii }: JsonStyle): string => {
  const json = JSON.stringify(value)
  return ascii ? json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`) : json
}

const scalar = (value: string | number | boolean | null | Float, style: JsonStyle): string => {
  if (typeof value === "string") return text(value, style)
  if (typeof value !== "number" && !(value instanceof Float)) return String(value)
  const shown = showNumber(value)
  return named[shown] ?? shown
}

const isScalar = (value: Value): value is string | number | boolean | null | Float =>
  value === null || typeof value !== "object" || value instanceof Float

/** A value as JSON, keys in their order, as Python writes it. */
export const toJson = (run: Run, value: Value, style: JsonStyle, level = 0): string => {
  run.spend(1)
  if (isScalar(value)) return run.text(scalar(value, style))
  if (!Array.isArray(value) && !(value instanceof Map))
    return run.fail(`Object of type ${typeName(value)} is not JSON serializable`)
  return run.nested(() => {
    const items = Array.isArray(value) ? listItems(run, value, style, level) : dictItems(run, value, style, level)
    const [open, close] = Array.isArray(value) ? "[]" : "{}"
    if (items.length === 0) return `${open}${close}`
    if (style.indent === undefined) return run.text(`${open}${items.join(style.itemSeparator)}${close}`)
    run.spendOn((style.indent.length * (level + 1) + style.itemSeparator.length) * items.length)
    const line = `\n${style.indent.repeat(level + 1)}`
    return run.text(`${open}${line}${items.join(style.itemSeparator + line)}\n${style.indent.repeat(level)}${close}`)
  })
}

const listItems = (run: Run, list: ReadonlyArray<Value>, style: JsonStyle, level: number) =>
  Array.from(list, (item) => toJson(run, item, style, level + 1))

const dictItems = (
  run: Run,
  dict: ReadonlyMap<string | number | boolean | null, Value>,
  style: JsonStyle,
  level: number
) => {
  const entries = [...dict]
  if (style.sortKeys) entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
  return entries.map(([key, item]) => {
    const name = text(typeof key === "string" ? key : scalar(key, style), style)
    return `${name}${style.keySeparator}${toJson(run, item, style, level + 1)}`
  })
}
