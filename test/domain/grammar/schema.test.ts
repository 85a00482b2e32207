import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { judgeOf } from "./judge.ts"
import { compile, refusal, takes } from "./run.ts"

const json = (schema: unknown) => ({ json: schema as Record<string, unknown> })
const person = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer", minimum: 0 }, ok: { type: "boolean" } },
  required: ["name", "age"],
  additionalProperties: false
}

describe("a JSON Schema", () => {
  it.each([
    [
      person,
      ['{"name":"é","age":3}', '{ "name": "a", "age": 0, "ok": true }'],
      ['{"age":3}', '{"age":3,"name":"a"}', "{}"]
    ],
    [
      { type: "object", properties: { a: true } },
      ["{}", '{"a":1}', '{"b":[{}], "c":2}'],
      ['{"b":1,"a":1}', '{"b":1,"b":2}']
    ],
    [{ type: "object", additionalProperties: { type: "null" } }, ['{"a":null}'], ['{"a":1}', '{"a":null,"a":null}']],
    [
      { type: "object", required: ["z"], additionalProperties: { type: "integer" } },
      ['{"z":1,"a":2}'],
      ["{}", '{"a":2}']
    ],
    [{ type: ["string", "null"] }, ['"a"', "null"], ["1"]],
    [{ enum: [1, "a", { b: [null] }] }, ["1", '"a"', '{"b":[null]}'], ["2", '{"b":[]}']],
    [{ const: 1.5 }, ["1.5"], ["1.50"]],
    [{ type: "integer", enum: [1, 1.5, "a"] }, ["1"], ["1.5", '"a"']],
    [
      { type: "array", items: { type: "integer" }, minItems: 1, maxItems: 2 },
      ["[1]", "[ 1, 2 ]"],
      ["[]", "[1,2,3]", "[1,]"]
    ],
    [
      { type: "array", prefixItems: [{ const: 1 }, { const: 2 }], items: false },
      ["[]", "[1]", "[1,2]"],
      ["[2]", "[1,2,3]"]
    ],
    [
      { type: "array", items: [{ const: 1 }], additionalItems: { const: 0 }, minItems: 2 },
      ["[1,0]", "[1,0,0]"],
      ["[1]"]
    ],
    [
      { type: "string", minLength: 1, maxLength: 2 },
      ['"a"', '"😀é"', '"\\ud83d\\ude00a"'],
      ['""', '"abc"', '"\\ud83d"']
    ],
    [{ type: "string", pattern: "b" }, ['"abc"', '"b"'], ['"ac"']],
    [{ type: "string", pattern: '^"\\n$' }, ['"\\"\\n"'], ['"\\"\\u000a"', '"a"']],
    [{ type: "string", pattern: "^[a-z]+$", maxLength: 3 }, ['"abc"'], ['""', '"abcd"']],
    [{ anyOf: [{ type: "integer" }, { type: "string", maxLength: 1 }] }, ["1", '"a"'], ['"ab"']],
    [
      {
        oneOf: [
          { type: "integer", maximum: 3 },
          { type: "integer", minimum: 4 }
        ]
      },
      ["3", "4"],
      []
    ],
    [{ allOf: [{ minimum: 2 }, { maximum: 4 }], type: "integer" }, ["2", "4"], ["1", "5"]],
    [{ allOf: [{ type: "number" }, { type: ["integer", "string"] }] }, ["5"], ["5.5", '"a"']],
    [{ allOf: [{ multipleOf: 4 }, { multipleOf: 6 }], type: "integer" }, ["12", "0"], ["4", "6"]],
    [{ $ref: "#/$defs/a~1b", $defs: { "a/b": { const: 1 } } }, ["1"], ["2"]],
    [
      { $defs: { t: { type: "array", items: { $ref: "#/$defs/t" } } }, $ref: "#/$defs/t" },
      ["[]", "[[],[[]]]"],
      ["[1]"]
    ],
    [{ not: {}, title: "never", anyOf: [true] }, null, null],
    [{ properties: { a: { type: "integer" } } }, ["{}", '{"a":1}'], ["1"]],
    [true, ["1", '{"a":[]}'], ["nope"]],
    [{ title: "t", description: "d", default: 1, "x-own": 2, $comment: "c", type: "null" }, ["null"], ["1"]]
  ] as const)("%j", (schema, good, bad) => {
    if (good === null) return expect(refusal(json(schema)).given).toContain("no text matches")
    const grammar = compile(json(schema))
    for (const text of good) expect(takes(grammar, text), text).toBe(true)
    for (const text of bad ?? []) expect(takes(grammar, text), text).toBe(false)
  })

  it("takes every value of its kind, as JSON.stringify writes it", () => {
    const grammar = compile({ jsonObject: true })
    const plainKey = FastCheck.string({ unit: "grapheme", maxLength: 5 }).filter((key) => /^[^"\\\p{Cc}]+$/u.test(key))
    const value = FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 8 }).map((text) =>
        (text as string & { toWellFormed(): string }).toWellFormed()
      ),
      FastCheck.integer(),
      FastCheck.constantFrom(null, true, 0.5, -1e-9, 1e21, [], {}, [[1], {}])
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.dictionary(plainKey, value, { noNullPrototype: true }), (object) => {
        expect(takes(grammar, JSON.stringify(object)), JSON.stringify(object)).toBe(true)
      }),
      { numRuns: 60 }
    )
  })

  it.each([
    { type: "integer", minimum: 3, maximum: 2 },
    { enum: [] },
    false,
    { type: "object", properties: { a: false }, required: ["a"] },
    { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] },
    { type: "array", minItems: 3, maxItems: 2 },
    { type: "string", minLength: 3, maxLength: 2 },
    { allOf: [{ type: "string" }, { type: "integer" }] },
    { $ref: "#" },
    { type: "object", required: ["b"], properties: { a: true }, additionalProperties: false }
  ])("%j cannot be met, and is refused", (schema: unknown) => {
    expect(refusal(json(schema))).toMatchObject({ at: ".json", given: "a grammar that no text matches" })
  })

  it.each([
    [{ type: "object", properties: { a: { type: "array", contains: {} } } }, "#/properties/a/contains"],
    [{ type: "object", patternProperties: {} }, "#/patternProperties"],
    [{ type: "array", uniqueItems: true }, "#/uniqueItems"],
    [{ not: { type: "string" } }, "#/not"],
    [{ if: true }, "#/if"],
    [{ type: "object", minProperties: 2 }, "#/minProperties"],
    [{ type: "object", dependentRequired: {} }, "#/dependentRequired"],
    [{ type: "string", format: "color" }, "#/format"],
    [{ type: "string", format: "date", pattern: "2" }, "#/pattern"],
    [{ type: "string", pattern: "a.*b", maxLength: 3, minLength: 3 }, null],
    [{ type: "string", pattern: "a.*b.*", maxLength: 3 }, "#/maxLength"],
    [{ type: "string", pattern: "(?=a)" }, "#/pattern"],
    [{ type: "strang" }, "#/type"],
    [{ type: "string", minLength: -1 }, "#/minLength"],
    [{ type: "string", maxLength: "3" }, "#/maxLength"],
    [{ properties: { "a/b": 3 } }, "#/properties"],
    [{ $ref: "#/$defs/gone" }, "#/$ref"],
    [{ $ref: "https://example.com/x" }, "#/$ref"],
    [{ oneOf: [{ type: "string" }, { enum: ["a", 1] }] }, "#/oneOf"],
    [{ oneOf: [{ type: "object" }, { type: "object", properties: { k: { const: 1 } } }] }, "#/oneOf"],
    [{ allOf: [{ pattern: "a" }, { pattern: "b" }], type: "string" }, "#/pattern"],
    [{ enum: ["a", "bb"], maxLength: 1 }, "#/maxLength"],
    [{ items: { anyOf: [{ nullable: true }] } }, "#/items/anyOf/0/nullable"]
  ])("%j is refused up front, by naming %s", (schema, at) => {
    const fault = refusal(json(schema))
    expect(fault.at).toBe(at === null ? ".json#/maxLength" : `.json${at}`)
    expect(fault.toRequest("structuredOutputs").message).toContain(fault.mend)
  })

  it("is refused when it is no schema, no JSON, or nested deeper than a stack", () => {
    expect(refusal({ json: "{" }).given).toContain("{")
    expect(refusal({ json: "3" }).expected).toContain("a schema")
    let deep: unknown = { type: "string" }
    for (let i = 0; i < 20_000; i++) deep = { type: "array", items: deep }
    expect(() => compile(json(deep))).toThrow()
  })
})

describe("formats", () => {
  it.each([
    ["date", ["2024-02-29", "2000-02-29", "1999-12-31"], ["2023-02-29", "1900-02-29", "2024-13-01", "2024-04-31"]],
    ["time", ["23:59:59Z", "00:00:00.123+14:00"], ["24:00:00Z", "12:60:00Z", "12:00:00"]],
    ["date-time", ["2024-02-29T12:00:00Z"], ["2024-02-30T12:00:00Z", "2024-02-29 12:00:00Z"]],
    ["duration", ["P1Y2M3D", "PT1H", "P3W", "P1DT2H3M4S", "PT5S"], ["P", "PT", "P1", "P1Y3D", "P1S"]],
    ["uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000"]],
    ["email", ["a.b+c@d-e.org"], ["a@b", ".a@b.c", "a..b@c.de", "a@-b.de"]],
    ["hostname", ["a", "a-b.example"], ["-a", "a-", "a..b"]],
    ["ipv4", ["0.0.0.0", "255.249.199.10"], ["256.0.0.1", "1.2.3", "01.2.3.4"]],
    [
      "ipv6",
      ["::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2::7:8", "1:2:3:4:5:6:7::"],
      ["1:2:3:4:5:6:7", ":::", "1::2::3", "12345::"]
    ]
  ])("%s", (format, good, bad) => {
    const grammar = compile(json({ type: "string", format }))
    for (const text of good) expect(takes(grammar, `"${text}"`), text).toBe(true)
    for (const text of bad) expect(takes(grammar, `"${text}"`), text).toBe(false)
  })
})

describe("the judge of the random tests", () => {
  it("finds what it looks for", () => {
    const judge = judgeOf({ type: "object" })
    const of = (text: string) => judge(new TextEncoder().encode(text))
    expect(of('{"a":{"b":1},"b":[{"a":1}]}')).toBeUndefined()
    expect(of('{"a":1,"\\u0061":2}')).toContain("twice")
    expect(of('{"a":1e999}')).toContain("finite")
    expect(of('{"a":"\\ud800"}')).toContain("surrogate")
    expect(of("[]")).toContain("must be object")
  })
})
