import type { Run } from "./run.ts"
import type { Dict, Value } from "./value.ts"

/** A caller's JSON value as a template sees it: a copy, so that no template changes what the caller holds. */
export const fromJson = (run: Run, value: unknown): Value => {
  run.spend(1)
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return value
    case "bigint":
      return Number(value)
    case "object":
      return value === null ? null : run.nested(() => container(run, value))
    case "undefined":
      return null
    default:
      return run.fail(`a ${typeof value} cannot be shown to a template`)
  }
}

const container = (run: Run, value: object): Value => {
  if (Array.isArray(value)) return Array.from(value, (item) => fromJson(run, item))
  const dict: Dict = new Map()
  // A key without a value is no key, as in JSON.
  for (const [key, item] of Object.entries(value)) if (item !== undefined) dict.set(key, fromJson(run, item))
  return dict
}
