import { show } from "../../config/show.ts"
import { GrammarFault } from "../fault.ts"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
export type SchemaObject = Readonly<Record<string, Json>>
export type Schema = boolean | SchemaObject

/** A schema with the JSON pointer to where it stands, as `#/properties/a`. */
export interface Located {
  readonly schema: Schema
  readonly at: string
}

const token = (name: string | number) => String(name).replaceAll("~", "~0").replaceAll("/", "~1")
export const below = (at: string, ...names: ReadonlyArray<string | number>): string =>
  [at, ...names.map(token)].join("/")

export const schemaFault = (at: string, keyword: string, given: unknown, expected: string, mend: string) =>
  new GrammarFault(keyword === "" ? at : below(at, keyword), show(given), expected, mend)

export const unsupported = (at: string, keyword: string, given: unknown, mend: string) =>
  schemaFault(at, keyword, given, "a keyword that can be enforced here", mend)

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Says nothing about values. */
const annotations = new Set([
  ...["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"],
  ...["$comment", "$schema", "$id", "$defs", "definitions", "$anchor", "$vocabulary"],
  ...["contentMediaType", "contentEncoding", "contentSchema"]
])

export const isAnnotation = (keyword: string): boolean => annotations.has(keyword) || keyword.startsWith("x-")

/** The schema without what says nothing about values; keywords given as undefined are not given. */
export const essence = (schema: SchemaObject): SchemaObject =>
  Object.fromEntries(Object.entries(schema).filter(([name, value]) => !isAnnotation(name) && value !== undefined))

const kinds: Readonly<Record<string, (value: Json) => boolean>> = {
  schema: (value) => typeof value === "boolean" || isObject(value),
  schemas: (value) => Array.isArray(value) && value.length > 0 && value.every(kinds.schema!),
  properties: (value) => isObject(value) && Object.values(value).every(kinds.schema!),
  items: (value) => kinds.schema!(value) || (Array.isArray(value) && value.every(kinds.schema!)),
  count: (value) => typeof value === "number" && Number.isInteger(value) && value >= 0,
  number: (value) => typeof value === "number" && Number.isFinite(value),
  text: (value) => typeof value === "string",
  names: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  flag: (value) => typeof value === "boolean",
  list: (value) => Array.isArray(value),
  any: () => true
}

export const typeNames = ["null", "boolean", "object", "array", "number", "string", "integer"]

/** Keywords that are enforced, with the kind of their value and the types they speak of. */
const keywords: Readonly<Record<string, readonly [kind: string, type?: string]>> = {
  ...{ type: ["any"], enum: ["list"], const: ["any"], $ref: ["text"], not: ["schema"] },
  ...{ anyOf: ["schemas"], oneOf: ["schemas"], allOf: ["schemas"] },
  ...{
    properties: ["properties", "object"],
    required: ["names", "object"],
    additionalProperties: ["schema", "object"]
  },
  ...{ minProperties: ["count", "object"], maxProperties: ["count", "object"] },
  ...{ items: ["items", "array"], prefixItems: ["items", "array"], additionalItems: ["schema", "array"] },
  ...{ minItems: ["count", "array"], maxItems: ["count", "array"], uniqueItems: ["flag", "array"] },
  ...{ minLength: ["count", "string"], maxLength: ["count", "string"] },
  ...{ pattern: ["text", "string"], format: ["text", "string"] },
  ...{ minimum: ["number", "number"], maximum: ["number", "number"] },
  ...{
    exclusiveMinimum: ["number", "number"],
    exclusiveMaximum: ["number", "number"],
    multipleOf: ["number", "number"]
  }
}

/** Refuses keywords that are not known, and values that they cannot have. */
export const checkKeywords = ({ schema, at }: { readonly schema: SchemaObject; readonly at: string }): void => {
  for (const [name, value] of Object.entries(schema)) {
    const known = Object.hasOwn(keywords, name) ? keywords[name] : undefined
    if (known === undefined)
      throw unsupported(at, name, value, `${name} is not supported: leave it out and check the reply.`)
    const [kind] = known
    if (!kinds[kind]!(value))
      throw schemaFault(at, name, value, `what JSON Schema gives ${name}`, "See its specification.")
  }
}

/** The types of a schema: those stated, or else those that its keywords speak of, or else all. */
export const typesOf = (schema: SchemaObject, at: string): ReadonlyArray<string> => {
  const { type } = schema
  if (type !== undefined) {
    const list = (Array.isArray(type) ? type : [type]) as ReadonlyArray<Json>
    if (list.length === 0 || !list.every((name) => typeof name === "string" && typeNames.includes(name)))
      throw schemaFault(at, "type", type, `one of ${typeNames.join(", ")}, or a list of them`, "Correct it.")
    const names = list as ReadonlyArray<string>
    return names.includes("number") ? names.filter((name) => name !== "integer") : names
  }
  const spoken = Object.keys(schema).flatMap((name) => keywords[name]?.[1] ?? [])
  return spoken.length > 0 ? [...new Set(spoken)] : typeNames.filter((name) => name !== "integer")
}
