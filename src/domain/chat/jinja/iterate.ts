import type { Run } from "./run.ts"
import { type List, typeName, Undefined, type Value } from "./value.ts"
import { charsOf } from "./whitespace.ts"

/** What a loop over the value goes through: items, keys, characters; nothing for what is undefined. */
export const iterate = (run: Run, value: Value): List => {
  if (Array.isArray(value)) return value
  if (value instanceof Undefined) return []
  if (value instanceof Map) {
    run.spendOnItems(value.size)
    return [...value.keys()]
  }
  if (typeof value !== "string") return run.fail(`'${typeName(value)}' object is not iterable`)
  run.spendOnItems(value.length)
  return [...charsOf(value)]
}
