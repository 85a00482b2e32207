import { equalJson } from "./merge.ts"
import { isObject, type Json, type SchemaObject, typesOf } from "./schema.ts"

const valuesOf = (schema: SchemaObject): ReadonlyArray<Json> | undefined =>
  "const" in schema ? [schema.const!] : Array.isArray(schema.enum) ? schema.enum : undefined

const typeOfValue = (value: Json): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value)

/** Every type that a value of the schema may have, not only those that we would write. */
const possibleTypes = (schema: SchemaObject): ReadonlySet<string> | undefined => {
  const values = valuesOf(schema)
  if (values !== undefined) return new Set(values.map(typeOfValue))
  if (schema.type === undefined) return undefined
  return new Set(typesOf({ type: schema.type }, "").map((name) => (name === "integer" ? "number" : name)))
}

const disjointRanges = (a: SchemaObject, b: SchemaObject): boolean => {
  const before = (low: SchemaObject, high: SchemaObject) => {
    const [top, bottom] = [low.maximum, high.minimum] as [number | undefined, number | undefined]
    const [below, above] = [low.exclusiveMaximum, high.exclusiveMinimum] as [number | undefined, number | undefined]
    if (top !== undefined && bottom !== undefined && top < bottom) return true
    if (below !== undefined && bottom !== undefined && below <= bottom) return true
    return top !== undefined && above !== undefined && top <= above
  }
  return before(a, b) || before(b, a)
}

/**
 * Whether no value fits both schemas, as far as that can be seen: by types, by values, by ranges of numbers, by a property that
 * both require and that fits no value of both. `resolve` follows references.
 */
export const disjoint = (a: Json, b: Json, resolve: (schema: Json) => Json, depth = 0): boolean => {
  const [x, y] = [resolve(a), resolve(b)]
  if (x === false || y === false) return true
  if (!isObject(x) || !isObject(y) || depth > 8) return false
  for (const [one, other] of [
    [x, y],
    [y, x]
  ] as const) {
    const options = one.anyOf ?? one.oneOf
    if (Array.isArray(options) && options.every((option: Json) => disjoint(option, other, resolve, depth + 1)))
      return true
    if (Array.isArray(one.allOf) && one.allOf.some((part: Json) => disjoint(part, other, resolve, depth + 1)))
      return true
  }
  const [valuesX, valuesY] = [valuesOf(x), valuesOf(y)]
  if (valuesX !== undefined && valuesY !== undefined)
    return !valuesX.some((value) => valuesY.some((other) => equalJson(value, other)))
  const [typesX, typesY] = [possibleTypes(x), possibleTypes(y)]
  if (typesX === undefined || typesY === undefined) return false
  const common = [...typesX].filter((name) => typesY.has(name))
  if (common.length === 0) return true
  if (common.length > 1) return false
  if (common[0] === "number") return disjointRanges(x, y)
  if (common[0] !== "object") return false
  const required = (schema: SchemaObject) => (schema.required ?? []) as ReadonlyArray<string>
  const property = (schema: SchemaObject, name: string): Json => {
    const named = schema.properties as SchemaObject | undefined
    return named !== undefined && Object.hasOwn(named, name) ? named[name]! : (schema.additionalProperties ?? true)
  }
  const apart = (one: SchemaObject, other: SchemaObject) =>
    required(one).some((name) => {
      if (property(other, name) === false) return true
      return required(other).includes(name) && disjoint(property(one, name), property(other, name), resolve, depth + 1)
    })
  return apart(x, y) || apart(y, x)
}
