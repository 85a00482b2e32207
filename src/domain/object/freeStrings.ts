import { resolvePointer } from "../grammar/json/pointer.ts"
import { isObject, type Json, type SchemaObject } from "../grammar/json/schema.ts"
import type { Path } from "./partialJson.ts"

/** Schemas that may speak of the value, through references and combinators. */
const spread = (root: Json, schema: Json | undefined, depth = 0): ReadonlyArray<Json> => {
  if (schema === undefined || depth > 32) return []
  if (!isObject(schema)) return [schema]
  const parts = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((list) => (Array.isArray(list) ? list : []))
  const target = typeof schema.$ref === "string" ? [resolvePointer(root, schema.$ref, "#").schema as Json] : []
  return [schema, ...[...parts, ...target].flatMap((part: Json) => spread(root, part, depth + 1))]
}

const childOf = (schema: SchemaObject, step: string | number): Json | undefined => {
  if (typeof step === "number") {
    const first = (schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : [])) as ReadonlyArray<Json>
    return first[step] ?? (Array.isArray(schema.items) ? schema.additionalItems : schema.items)
  }
  const named = schema.properties
  return isObject(named) && Object.hasOwn(named, step) ? named[step] : schema.additionalProperties
}

/** Keywords that let a string be none but some. */
const bound = ["enum", "const", "pattern", "format"]

/** Says of places in a schema's values whether a string there may be anything: its beginning is then a value of the type too. */
export const freeStrings = (root: Json): ((path: Path) => boolean) => {
  const known = new Map<string, boolean>()
  const judge = (path: Path): boolean => {
    let schemas = spread(root, root)
    for (const step of path) schemas = schemas.filter(isObject).flatMap((schema) => spread(root, childOf(schema, step)))
    return schemas.every((schema) => !isObject(schema) || bound.every((keyword) => schema[keyword] === undefined))
  }
  return (path) => {
    const key = JSON.stringify(path.map((step) => (typeof step === "number" ? Math.min(step, 64) : step)))
    const found = known.get(key)
    if (found !== undefined) return found
    const free = judge(path)
    known.set(key, free)
    return free
  }
}
