import type { Run } from "./run.ts"
import { type Key, numberOf, typeName, Undefined, type Value } from "./value.ts"
import { hasPairs } from "./whitespace.ts"

/** Python's `==`: numbers by value, lists and dicts by content. */
export const equal = (run: Run, a: Value, b: Value): boolean => {
  run.spend(1)
  if (a === b) return true
  if (a instanceof Undefined) return b instanceof Undefined
  const number = numberOf(a)
  if (number !== undefined) return number === numberOf(b)
  if (Array.isArray(a))
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.constructor === b.constructor &&
      run.nested(() => a.every((item, at) => equal(run, item, b[at]!)))
    )
  if (!(a instanceof Map) || !(b instanceof Map) || a.size !== b.size) return false
  return run.nested(() => [...a].every(([key, value]) => b.has(key) && equal(run, value, b.get(key)!)))
}

/** By code points: JavaScript's own order puts U+E000 to U+FFFF behind what needs two units. */
const compareTexts = (a: string, b: string): number => {
  if (!hasPairs(a) && !hasPairs(b)) return a < b ? -1 : a > b ? 1 : 0
  const left = Array.from(a, (char) => char.codePointAt(0)!)
  const right = Array.from(b, (char) => char.codePointAt(0)!)
  const at = left.findIndex((code, place) => code !== right[place])
  if (at < 0) return left.length - right.length
  return left[at]! - (right[at] ?? -1)
}

/** Negative when `a` comes first. Fails on types that Python does not order. */
export const order = (run: Run, a: Value, b: Value): number => {
  run.spend(1)
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return left - right
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b)
  if (!Array.isArray(a) || !Array.isArray(b))
    return run.fail(`'<' is not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
  const at = a.findIndex((item, place) => place >= b.length || !equal(run, item, b[place]!))
  if (at < 0) return a.length - b.length
  return at >= b.length ? 1 : run.nested(() => order(run, a[at]!, b[at]!))
}

/** Python's `in`. */
export const contains = (run: Run, container: Value, item: Value): boolean => {
  if (typeof container === "string") {
    if (typeof item !== "string")
      return run.fail(`'in <string>' requires string as left operand, not ${typeName(item)}`)
    run.spendOn(container.length)
    return container.includes(item)
  }
  if (Array.isArray(container)) return container.some((other) => equal(run, other, item))
  if (container instanceof Map) return container.has(keyOf(run, item))
  if (container instanceof Undefined) return false
  return run.fail(`argument of type '${typeName(container)}' is not iterable`)
}

/** A value as a dict's key. */
export const keyOf = (run: Run, value: Value): Key => {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value
  const number = numberOf(value)
  return number ?? run.fail(`unhashable type: '${typeName(value)}'`)
}
