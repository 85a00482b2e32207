import type { Native } from "./arguments.ts"
import { keyOf } from "./compare.ts"
import { dictMethods, listMethods } from "./containerMethods.ts"
import type { Run } from "./run.ts"
import { show } from "./show.ts"
import { textMethods } from "./textMethods.ts"
import { Callable, numberOf, present, type Thing, typeName, Undefined, type Value } from "./value.ts"
import { charsOf, hasPairs } from "./whitespace.ts"

const bound = <Self extends Value>(methods: ReadonlyMap<string, Native<Self>>, self: Self, name: string) => {
  const method = methods.get(name)
  return method === undefined ? undefined : new Callable(name, (run, given) => method(run, self, given))
}

/** What Python's getattr finds: methods, and the attributes of our own things. */
const attributeOf = (value: Value, name: string): Value | undefined => {
  if (typeof value === "string") return bound(textMethods, value, name)
  if (value instanceof Map) return bound(dictMethods, value, name)
  const method = Array.isArray(value) ? bound(listMethods, value, name) : undefined
  return present(method, hasAttributes(value) ? value.attribute(name) : undefined)
}

/** Namespaces, `loop`, and the groups of `groupby`, which are lists besides. */
const hasAttributes = (value: Value): value is Value & Pick<Thing, "attribute"> =>
  typeof value === "object" && value !== null && "attribute" in value

const itemOf = (run: Run, value: Value, key: Value): Value | undefined => {
  if (value instanceof Map) return value.get(keyOf(run, key))
  const index = numberOf(key)
  if (index === undefined) return undefined
  if (Array.isArray(value)) return value[index < 0 ? value.length + index : index]
  if (typeof value !== "string") return undefined
  run.spendOn(value.length)
  if (hasPairs(value)) run.spendOnItems(value.length)
  const chars = hasPairs(value) ? charsOf(value) : value
  return chars[index < 0 ? chars.length + index : index]
}

const missing = (run: Run, value: Value, key: Value): Undefined => {
  const named = typeof key === "string"
  const owner = value === null ? "None" : `${typeName(value)} object`
  return new Undefined(named ? `'${owner}' has no attribute '${key}'` : `${owner} has no element ${show(run, key)}`)
}

const defined = (run: Run, value: Value): Value => (value instanceof Undefined ? run.fail(value.problem) : value)

const found = (run: Run, owner: Value, key: Value, ...values: ReadonlyArray<Value | undefined>): Value => {
  const value = present(...values)
  return value === undefined ? missing(run, owner, key) : value
}

/** `value.name`: a method or attribute first, else the item of that name. */
export const getAttribute = (run: Run, given: Value, name: string): Value => {
  const value = defined(run, given)
  return found(run, value, name, attributeOf(value, name), itemOf(run, value, name))
}

/** What `|attr` finds: no items. */
export const getOwnAttribute = (run: Run, given: Value, name: string): Value => {
  const value = defined(run, given)
  return found(run, value, name, attributeOf(value, name))
}

/** `value[key]`: the item first, else the attribute of that name. */
export const getItem = (run: Run, given: Value, key: Value): Value => {
  const value = defined(run, given)
  return found(run, value, key, itemOf(run, value, key), typeof key === "string" ? attributeOf(value, key) : undefined)
}

/** Python's bounds of a slice, made whole. */
const clamp = (bound: number | undefined, length: number, otherwise: number, low: number, high: number): number => {
  if (bound === undefined) return otherwise
  return Math.min(high, Math.max(low, bound < 0 ? bound + length : bound))
}

/** `value[start:stop:step]`. */
export const getSlice = (run: Run, given: Value, bounds: ReadonlyArray<Value | undefined>): Value => {
  const value = defined(run, given)
  if (typeof value !== "string" && !Array.isArray(value))
    return run.fail(`'${typeName(value)}' object cannot be sliced`)
  const [start, stop, step = 1] = bounds.map((bound) =>
    bound === undefined || bound === null ? undefined : (numberOf(bound) ?? run.fail("slice indices must be integers"))
  )
  if (step === 0) return run.fail("slice step cannot be zero")
  const items = typeof value === "string" ? (hasPairs(value) ? charsOf(value) : value) : value
  const { length } = items
  if (items === value && typeof value === "string") run.spendOn(length)
  else run.spendOnItems(length)
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1]
  const from = clamp(start, length, step > 0 ? low : high, low, high)
  const to = clamp(stop, length, step > 0 ? high : low, low, high)
  if (step === 1) {
    const part = items.slice(from, Math.max(from, to))
    return typeof value === "string" ? (typeof part === "string" ? part : part.join("")) : (part as Array<Value>)
  }
  const picked: Array<Value> = []
  for (let at = from; step > 0 ? at < to : at > to; at += step) picked.push(items[at]!)
  return typeof value === "string" ? picked.join("") : picked
}
