import * as FastCheck from "effect/FastCheck"

type Schema = Readonly<Record<string, unknown>> | boolean
const fc = FastCheck

const names = ["name", "age", "a", "ab", "x y", 'q"', "é", "tags", "constructor"]
const some = <A>(values: ReadonlyArray<A>, max = 4) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: max })

const between = (low: number, high: number, least: string, most: string) =>
  fc
    .tuple(fc.option(fc.integer({ min: low, max: high })), fc.option(fc.integer({ min: 0, max: high - low })))
    .map(([first, span]) => ({
      ...(first === null ? {} : { [least]: first }),
      ...(span === null ? {} : { [most]: (first ?? low) + span })
    }))

const patterns = [
  "^[a-c]{1,5}$",
  "^\\d{3}-\\d{4}$",
  "ab",
  "^(x|y z)+$",
  '^["\\\\\\n/]{2}$',
  "^.{0,3}é?$",
  "^\\p{Lu}\\w*$"
]

const text = fc.oneof(
  between(0, 6, "minLength", "maxLength").map((bounds) => ({ type: "string", ...bounds })),
  fc.constantFrom(...patterns).map((pattern) => ({ type: "string", pattern })),
  fc.constant({ type: "string", pattern: "^[a-z]+$", maxLength: 6, minLength: 2 })
)

const number = fc.oneof(
  fc.constantFrom({ type: "integer" }, { type: "number" }),
  between(-2000, 2000, "minimum", "maximum").map((bounds) => ({ type: "integer", ...bounds })),
  between(-20, 1000, "exclusiveMinimum", "maximum").map((bounds) => ({ type: "number", ...bounds })),
  fc
    .tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 0, max: 3, noNaN: true }))
    .map(([low, span]) => ({ type: "number", minimum: low, exclusiveMaximum: low + span })),
  fc.constantFrom(0.1, 1e-7, 12.5).map((bound) => ({ type: "number", exclusiveMinimum: -bound, maximum: bound })),
  fc
    .tuple(fc.constantFrom(1, 2, 5, 7, 10, 30), between(-300, 3000, "minimum", "maximum"))
    .map(([multipleOf, bounds]) => ({ type: "integer", multipleOf, ...bounds }))
)

const value = fc.jsonValue({ maxDepth: 2 })
const leaf: FastCheck.Arbitrary<Schema> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 4, arbitrary: number },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Schema>({ type: "boolean" }, { type: "null" }, { type: ["string", "null"] })
  },
  { weight: 1, arbitrary: value.map((one) => ({ const: one })) },
  { weight: 1, arbitrary: fc.array(value, { minLength: 1, maxLength: 4 }).map((all) => ({ enum: all })) },
  { weight: 1, arbitrary: fc.constantFrom<Schema>(true, {}, { type: "object" }, { type: "array" }) }
)

/** An object with a tag of its own, so that oneOf can tell it from others. */
const tagged = (inner: FastCheck.Arbitrary<Schema>) =>
  fc.array(inner, { minLength: 2, maxLength: 3 }).map((payloads) => ({
    oneOf: payloads.map((payload, i) => ({
      type: "object",
      properties: { kind: { const: `k${i}` }, payload },
      required: ["kind"],
      additionalProperties: false
    }))
  }))

const object = (inner: FastCheck.Arbitrary<Schema>) =>
  fc
    .record({
      keys: some(names),
      values: fc.array(inner, { minLength: 4, maxLength: 4 }),
      required: some(names),
      rest: fc.oneof(fc.constantFrom<Schema | undefined>(false, false, true, undefined), inner)
    })
    .map(({ keys, values, required, rest }) => ({
      type: "object",
      properties: Object.fromEntries(keys.map((key, i) => [key, values[i]!])),
      required: rest === false ? required.filter((key) => keys.includes(key)) : required,
      ...(rest === undefined ? {} : { additionalProperties: rest })
    }))

const array = (inner: FastCheck.Arbitrary<Schema>) =>
  fc
    .record({
      items: fc.option(inner, { nil: undefined }),
      prefixItems: fc.option(fc.array(inner, { minLength: 1, maxLength: 3 }), { nil: undefined }),
      bounds: between(0, 4, "minItems", "maxItems")
    })
    .map(({ bounds, ...rest }) => ({
      type: "array",
      ...Object.fromEntries(Object.entries(rest).filter(([, given]) => given !== undefined)),
      ...bounds
    }))

const merged = fc.constantFrom<Schema>(
  { allOf: [{ type: "integer", minimum: 3 }, { maximum: 9 }], multipleOf: 2 },
  {
    allOf: [{ properties: { a: { type: "string" } }, required: ["a"] }],
    properties: { a: { maxLength: 2 } },
    type: "object"
  },
  { type: "object", properties: { a: true }, anyOf: [{ required: ["a"] }, { required: ["b"] }] },
  { $ref: "#/$defs/small", maximum: 5 },
  { allOf: [{ additionalProperties: { type: "integer" } }, { properties: { ab: { minimum: 2 } } }], type: "object" }
)

const { schema } = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: leaf },
    { weight: 4, arbitrary: object(tie("schema")) },
    { weight: 2, arbitrary: array(tie("schema")) },
    { weight: 1, arbitrary: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })) },
    { weight: 1, arbitrary: tagged(tie("schema")) },
    { weight: 1, arbitrary: merged },
    { weight: 1, arbitrary: fc.constantFrom({ $ref: "#/$defs/tree" }, { $ref: "#/$defs/small" }) }
  )
}))

const tree = {
  type: "object",
  properties: { value: { type: "integer" }, children: { type: "array", items: { $ref: "#/$defs/tree" }, maxItems: 2 } },
  required: ["value"],
  additionalProperties: false
}

/** Whole documents out of all that is supported, with recursion and free members. */
export const documents: FastCheck.Arbitrary<Record<string, unknown>> = schema.map((root) => ({
  $defs: { tree, small: { type: "integer", minimum: -3, maximum: 30 } },
  allOf: [root]
}))
