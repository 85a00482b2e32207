import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { freeStrings } from "../../../src/domain/object/freeStrings.ts"
import { partialJson } from "../../../src/domain/object/partialJson.ts"

const all = () => true

/** Whether `later` says all that `earlier` said. */
const extendsIt = (later: unknown, earlier: unknown, isRoot = true): boolean => {
  if (earlier === undefined) return isRoot
  if (typeof earlier === "string") return typeof later === "string" && later.startsWith(earlier)
  if (Array.isArray(earlier))
    return Array.isArray(later) && earlier.every((item, i) => i in later && extendsIt(later[i], item, false))
  if (typeof earlier === "object" && earlier !== null)
    return (
      typeof later === "object" &&
      later !== null &&
      Object.entries(earlier).every(
        ([key, value]) => Object.hasOwn(later, key) && extendsIt(Reflect.get(later, key), value, false)
      )
    )
  return Object.is(later, earlier)
}

const value = FastCheck.oneof(
  FastCheck.jsonValue({ maxDepth: 4 }),
  FastCheck.dictionary(
    FastCheck.string({ unit: "binary", maxLength: 4 }),
    FastCheck.string({ unit: "binary", maxLength: 8 }),
    {
      noNullPrototype: true
    }
  )
)

/** The text of a value, some of its characters as escapes. */
const written = (one: unknown, escape: boolean, indent: number) => {
  const text = JSON.stringify(one, null, indent)
  return escape
    ? text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    : text
}

describe("a partial value", () => {
  it("extends the one before, however the text is cut, and ends as the whole", () => {
    FastCheck.assert(
      FastCheck.property(
        value,
        FastCheck.boolean(),
        FastCheck.constantFrom(0, 1),
        FastCheck.boolean(),
        (one, escape, indent, free) => {
          const text = written(one, escape, indent)
          const whole: unknown = JSON.parse(text)
          let before: unknown
          for (let end = 0; end <= text.length; end++) {
            const now = partialJson(text.slice(0, end), () => free)
            expect(
              extendsIt(now, before),
              `${text.slice(0, end)}: ${JSON.stringify(before)} -> ${JSON.stringify(now)}`
            ).toBe(true)
            if (now !== undefined) expect(extendsIt(whole, now)).toBe(true)
            before = now
          }
          if (typeof whole === "object" && whole !== null) expect(before).toEqual(whole)
        }
      ),
      { numRuns: 300 }
    )
  })

  it.each([
    ['{"a": 12', {}],
    ['{"a": 12,', { a: 12 }],
    ['{"a": tru', {}],
    ['{"a": true}', { a: true }],
    ['{"a": "x', { a: "x" }],
    ['{"a": "x\\', { a: "x" }],
    ['{"a": "x\\\\', { a: "x\\" }],
    ['{"a": "x\\u00e', { a: "x" }],
    ['{"a": "x\\ud83d', { a: "x" }],
    ['{"a": "x\\ud83d\\ude0', { a: "x" }],
    ['{"a": "x\\\\ud83d', { a: "x\\ud83d" }],
    ['{"ab', {}],
    ['[1, "b", [', [1, "b", []]],
    ["", undefined],
    ["1", undefined]
  ])("of %s is %j", (text, expected) => {
    expect(partialJson(text, all)).toEqual(expected)
  })

  it("holds a string that is not free until it is whole", () => {
    const isFree = freeStrings({
      $defs: { kind: { enum: ["cat", "cattle"] } },
      type: "object",
      properties: {
        kind: { $ref: "#/$defs/kind" },
        name: { anyOf: [{ type: "string" }, { type: "null" }] },
        code: { anyOf: [{ type: "string", pattern: "^a" }, { type: "string" }] },
        list: { type: "array", prefixItems: [{ format: "date" }], items: { type: "string" } }
      },
      additionalProperties: { type: "string" }
    })
    expect(partialJson('{"kind":"cat', isFree)).toEqual({})
    expect(partialJson('{"kind":"cat"', isFree)).toEqual({ kind: "cat" })
    expect(partialJson('{"name":"ca', isFree)).toEqual({ name: "ca" })
    expect(partialJson('{"code":"ca', isFree)).toEqual({})
    expect(partialJson('{"list":["2024', isFree)).toEqual({ list: [] })
    expect(partialJson('{"list":["2024-01-01","a', isFree)).toEqual({ list: ["2024-01-01", "a"] })
    expect(partialJson('{"other":"a', isFree)).toEqual({ other: "a" })
  })
})
