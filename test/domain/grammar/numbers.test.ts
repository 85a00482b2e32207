import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { compile, refusal, takes } from "./run.ts"

const bound = FastCheck.integer({ min: -1200, max: 1200 })

describe("whole numbers", () => {
  it("are those between their bounds, each of them and no other", () => {
    FastCheck.assert(
      FastCheck.property(bound, FastCheck.nat(900), (minimum, span) => {
        const grammar = compile({ json: { type: "integer", minimum, maximum: minimum + span } })
        for (const value of [
          minimum - 1,
          minimum,
          minimum + 1,
          0,
          -1,
          9,
          10,
          99,
          100,
          minimum + span,
          minimum + span + 1
        ])
          expect(takes(grammar, String(value)), `${value}`).toBe(value >= minimum && value <= minimum + span)
      }),
      { numRuns: 60 }
    )
  })

  it.each([
    [{ minimum: 0, maximum: 150 }, ["0", "9", "150"], ["151", "-1", "-0", "00", "1.0", "1e1", "015"]],
    [{ exclusiveMinimum: 0.5, exclusiveMaximum: 3 }, ["1", "2"], ["0", "3"]],
    [{ minimum: -3 }, ["-3", "0", "999999999999999"], ["-4"]],
    [{ maximum: 9007199254740991 }, ["9007199254740991", "-999999999999999"], ["9007199254740992"]],
    [{ multipleOf: 7, minimum: 0, maximum: 100_000 }, ["0", "7", "99995", "14"], ["1", "100002", "-7"]],
    [{ multipleOf: 25 }, ["0", "25", "-50", "100000"], ["10", "-5", "-0"]],
    [{ multipleOf: 1000, minimum: 1, maximum: 5000 }, ["1000", "5000"], ["0", "500", "6000"]]
  ])("%j", (bounds, good, bad) => {
    const grammar = compile({ json: { type: "integer", ...bounds } })
    for (const text of good) expect(takes(grammar, text), text).toBe(true)
    for (const text of bad) expect(takes(grammar, text), text).toBe(false)
  })
})

describe("numbers", () => {
  it("keep to bounds of any size, to the last digit that is written", () => {
    const real = FastCheck.double({ min: -3000, max: 3000, noNaN: true })
    FastCheck.assert(
      FastCheck.property(real, real, FastCheck.integer({ min: 0, max: 6 }), (a, b, places) => {
        const [minimum, exclusiveMaximum] = [Math.min(a, b), Math.max(a, b) + 0.01]
        const grammar = compile({ json: { type: "number", minimum, exclusiveMaximum } })
        for (const value of [a, b, minimum + 0.001, exclusiveMaximum - 0.001, minimum - 0.001, exclusiveMaximum, 0]) {
          const text = value.toFixed(places)
          const inside = Number(text) >= minimum && Number(text) < exclusiveMaximum && !/^-0(\.0*)?$/.test(text)
          expect(takes(grammar, text), `${text} in ${minimum}..${exclusiveMaximum}`).toBe(inside)
        }
      }),
      { numRuns: 60 }
    )
  })

  it.each([
    [{}, ["0", "-0.5", "1e99", "123456789012345.5E-3"], ["01", ".5", "1.", "1e999", "+1", "NaN"]],
    [{ minimum: 0, maximum: 1 }, ["0", "0.0", "1", "1.000", "0.999"], ["1.01", "-0.1", "2"]],
    [{ exclusiveMinimum: 0 }, ["0.0001", "1", "12345.5"], ["0", "0.0", "-1"]],
    [{ minimum: 0.25, maximum: 0.25 }, ["0.25", "0.250"], ["0.2", "0.251"]]
  ])("%j", (bounds, good, bad) => {
    const grammar = compile({ json: { type: "number", ...bounds } })
    for (const text of good) expect(takes(grammar, text), text).toBe(true)
    for (const text of bad) expect(takes(grammar, text), text).toBe(false)
  })

  it.each([
    [{ type: "number", multipleOf: 0.1 }, "#/multipleOf"],
    [{ type: "integer", multipleOf: 0 }, "#/multipleOf"],
    [{ type: "integer", multipleOf: 12345 }, "#/multipleOf"],
    [{ type: "number", maximum: 1e30 }, "#/maximum"],
    [{ type: "integer", minimum: 1e30 }, "#/minimum"]
  ])("%j is refused at %s", (json, at) => {
    expect(refusal({ json }).at).toBe(`.json${at}`)
  })
})
