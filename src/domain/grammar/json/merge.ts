import { below, isObject, type Json, type Schema, type SchemaObject, typesOf, unsupported } from "./schema.ts"

export const equalJson = (a: Json | undefined, b: Json | undefined): boolean => {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equalJson(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && equalJson(a[name], b[name]))
  )
}

const both = (a: Schema | undefined, b: Schema | undefined): Schema => {
  if (a === undefined || a === true) return b ?? true
  if (b === undefined || b === true) return a
  return a === false || b === false ? false : { allOf: [a, b] }
}

const divides = (a: number, b: number) => Number.isInteger(b / a)
const lowest = (a: number, b: number): number => {
  let [x, y] = [a, b]
  while (y !== 0) [x, y] = [y, x % y]
  return (a / x) * b
}

type Join = (a: Json, b: Json, at: string, keyword: string) => Json

const greater: Join = (a, b) => Math.max(a as number, b as number)
const less: Join = (a, b) => Math.min(a as number, b as number)
const equal: Join = (a, b, at, keyword) => {
  if (equalJson(a, b)) return a
  throw unsupported(at, keyword, b, `Another ${keyword} stands beside it in allOf: state both in one.`)
}

const joins: Readonly<Record<string, Join>> = {
  ...{ minimum: greater, exclusiveMinimum: greater, minLength: greater, minItems: greater, minProperties: greater },
  ...{ maximum: less, exclusiveMaximum: less, maxLength: less, maxItems: less, maxProperties: less },
  ...{ pattern: equal, format: equal, prefixItems: equal },
  uniqueItems: (a, b) => a === true || b === true,
  required: (a, b) => [...new Set([...(a as ReadonlyArray<string>), ...(b as ReadonlyArray<string>)])],
  enum: (a, b) =>
    (a as ReadonlyArray<Json>).filter((value) => (b as ReadonlyArray<Json>).some((other) => equalJson(value, other))),
  multipleOf: (a, b, at, keyword) => {
    const [x, y] = [a as number, b as number]
    if (x > 0 && y > 0 && divides(x, y)) return y
    if (x > 0 && y > 0 && divides(y, x)) return x
    if (x > 0 && y > 0 && Number.isInteger(x) && Number.isInteger(y)) return lowest(x, y)
    throw unsupported(at, keyword, b, "Another one stands beside it in allOf: state one that means both.")
  }
}

const mergeTypes = (a: SchemaObject, b: SchemaObject, at: string): ReadonlyArray<string> | undefined => {
  if (a.type === undefined && b.type === undefined) return undefined
  const [x, y] = [a, b].map((one) => (one.type === undefined ? undefined : typesOf({ type: one.type }, at)))
  if (x === undefined || y === undefined) return (x ?? y)!
  const allows = (list: ReadonlyArray<string>, name: string) =>
    list.includes(name) || (name === "integer" && list.includes("number"))
  return [...new Set([...x.filter((name) => allows(y, name)), ...y.filter((name) => allows(x, name))])]
}

/** Properties of both; a key that only one names is what the other allows for keys that it does not name. */
const mergeProperties = (a: SchemaObject, b: SchemaObject): Record<string, Json> => {
  const [x, y] = [a, b].map((one) => (one.properties ?? {}) as Readonly<Record<string, Schema>>)
  const [restX, restY] = [a, b].map((one) => one.additionalProperties as Schema | undefined)
  const names = new Set([...Object.keys(x!), ...Object.keys(y!)])
  const properties = [...names].map((name) => {
    const ofX = Object.hasOwn(x!, name) ? x![name] : restX
    const ofY = Object.hasOwn(y!, name) ? y![name] : restY
    return [name, both(ofX, ofY)] as const
  })
  const rest = both(restX, restY)
  return { properties: Object.fromEntries(properties), ...(rest === true ? {} : { additionalProperties: rest }) }
}

/** Fits no value. */
const impossible: SchemaObject = { enum: [] }
const isImpossible = (schema: SchemaObject) => Array.isArray(schema.enum) && schema.enum.length === 0

/** One schema for what both allow. Neither has anyOf, oneOf, allOf, $ref or const any more. */
export const merge = (a: SchemaObject, b: SchemaObject, at: string): SchemaObject => {
  if (isImpossible(a) || isImpossible(b)) return impossible
  const types = mergeTypes(a, b, at)
  if (types?.length === 0) return impossible
  const out: Record<string, Json> = { ...a }
  for (const [name, value] of Object.entries(b)) {
    if (["type", "properties", "additionalProperties", "items"].includes(name)) continue
    const join = joins[name]
    if (a[name] === undefined) out[name] = value
    else if (join === undefined) throw unsupported(at, name, value, "It stands on both sides of an allOf: join them.")
    else out[name] = join(a[name]!, value, below(at), name)
  }
  if (isImpossible(out)) return impossible
  if (types !== undefined) out.type = types
  if ([a, b].some((one) => one.properties !== undefined || one.additionalProperties !== undefined))
    Object.assign(out, mergeProperties(a, b))
  const tuples = [a, b].filter((one) => one.prefixItems !== undefined || Array.isArray(one.items))
  if (tuples.length > 0 && [a, b].every((one) => one.items !== undefined || one.prefixItems !== undefined))
    throw unsupported(
      at,
      "items",
      b.items ?? b.prefixItems,
      "A tuple stands beside it in allOf: state the items in one."
    )
  if (a.items !== undefined || b.items !== undefined)
    out.items =
      tuples.length > 0 ? (a.items ?? b.items)! : both(a.items as Schema | undefined, b.items as Schema | undefined)
  return out
}
