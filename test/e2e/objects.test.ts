import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Engine, InvalidRequest, LLM, ObjectInvalid } from "../../src/index.ts"

const model = new URL("../../models/brook", import.meta.url).pathname
let llm: LLM
beforeAll(async () => {
  llm = await LLM.create({ model })
})
afterAll(() => llm.close())

const Trip = Schema.Struct({
  city: Schema.NonEmptyString.pipe(Schema.maxLength(20)),
  days: Schema.Int.pipe(Schema.between(1, 30)),
  price: Schema.NumberFromString,
  kind: Schema.Literal("train", "plane"),
  stops: Schema.Array(Schema.String.pipe(Schema.maxLength(6))).pipe(Schema.maxItems(2)),
  note: Schema.optional(Schema.String.pipe(Schema.maxLength(10)))
})
const question = "Tom went from Rome to Paris by train for 3 days. As JSON: "
const schema = {
  type: "object",
  properties: { city: { type: "string", maxLength: 20 }, days: { type: "integer", minimum: 1, maximum: 30 } },
  required: ["city", "days"],
  additionalProperties: false
}

describe("an object", () => {
  it("comes back decoded and typed by an Effect Schema, from a prompt and from a chat", async () => {
    for (const seed of [1, 2, 3]) {
      const params = { temperature: 1, seed, maxTokens: 300 }
      const Priced = Schema.Struct({ ...Trip.fields, price: Schema.Number.pipe(Schema.between(0, 999)) })
      const trip = await llm.generateObject(question, Priced, params)
      const days: number = trip.days
      expect(Schema.is(Priced)(trip), JSON.stringify(trip)).toBe(true)
      expect(days).toBeLessThanOrEqual(30)
      const reply = await llm.generateObject([{ role: "user", content: question }], Priced, params)
      expect(Schema.is(Priced)(reply), JSON.stringify(reply)).toBe(true)
    }
  })

  it("is what a JSON Schema describes where one is given", async () => {
    const object = await llm.generateObject(question, schema, { temperature: 0, maxTokens: 100 })
    expect(object).toMatchObject({ city: expect.any(String), days: expect.any(Number) })
  })

  it("fails with ObjectInvalid, the text in it, when it cannot be decoded or was cut", async () => {
    const Never = Schema.Struct({ a: Schema.Literal("x").pipe(Schema.filter(() => "never so")) })
    const invalid = await llm.generateObject(question, Never, { temperature: 0 }).catch((error) => error)
    expect(invalid).toBeInstanceOf(ObjectInvalid)
    expect(JSON.parse(invalid.text)).toEqual({ a: "x" })
    expect(invalid.issue).toContain("never so")
    const cut = await llm.generateObject(question, Trip, { maxTokens: 4 }).catch((error) => error)
    expect(cut).toBeInstanceOf(ObjectInvalid)
    expect(cut.issue).toContain("maxTokens")
  })

  it("is one, of a schema that JSON can hold: all else is refused by its name", async () => {
    const refused = (params: object, given: Schema.Schema.Any | object = schema) =>
      llm
        .generateObject(question, given as Record<string, unknown>, params)
        .catch((error: InvalidRequest) => error.field)
    expect(await refused({ n: 2 })).toBe("n")
    expect(await refused({ structuredOutputs: { regex: "a" } })).toBe("structuredOutputs")
    expect(await refused({}, Schema.DateFromSelf)).toBe("schema")
    expect(await refused({}, { contains: {} })).toBe("structuredOutputs.json#/contains")
  })

  it("streams partial values, each an extension of the one before, then the whole", async () => {
    const params = { temperature: 1, seed: 5, maxTokens: 300 }
    const Plain = Schema.Struct({ ...Trip.fields, price: Schema.JsonNumber })
    const values: Array<Partial<typeof Plain.Type>> = []
    for await (const value of llm.streamObject(question, Plain, params)) values.push(value)
    expect(values.length).toBeGreaterThan(5)
    const whole = values.at(-1)!
    expect(Schema.is(Plain)(whole)).toBe(true)
    expect(whole).toEqual(await llm.generateObject(question, Plain, params))
    for (const partial of values) {
      expect(whole.city!.startsWith(partial.city ?? "")).toBe(true)
      for (const name of ["days", "price", "kind"] as const)
        if (name in partial) expect(partial[name]).toBe(whole[name])
      partial.stops?.forEach((stop, i) => {
        expect(whole.stops![i]!.startsWith(stop)).toBe(true)
      })
    }
  })

  it("stops, and gives its blocks back, when the reader leaves", async () => {
    const before = (await llm.getMetrics()).kvBlocksFree
    for await (const _ of llm.streamObject(question, { type: "array", items: { type: "string" }, minItems: 50 })) break
    await expect.poll(async () => (await llm.getMetrics()).kvBlocksFree).toBe(before)
  })

  it("is an Effect over any engine", () =>
    Effect.gen(function* () {
      const request = { prompt: question, params: { temperature: 0, maxTokens: 120 } }
      const Small = Schema.Struct({ ok: Schema.Boolean, at: Schema.Literal(1, 2) })
      const whole: { readonly ok: boolean; readonly at: 1 | 2 } = yield* Engine.generateObject(request, Small)
      const values = Chunk.toReadonlyArray(yield* Stream.runCollect(Engine.streamObject(request, Small)))
      expect(values.at(-1)).toEqual(whole)
      expect(values[0]).toEqual({})
    }).pipe(Effect.provide(Engine.layer({ model })), Effect.runPromise))
})

describe("structured outputs", () => {
  it("hold each of n replies to what was asked, and end it there", async () => {
    const params = { temperature: 2, seed: 3, n: 4, maxTokens: 120 }
    const of = async (structuredOutputs: object, more: object = {}) => {
      const [output] = await llm.generate("Answer:", { ...params, ...more, structuredOutputs } as object)
      return output!.outputs
    }
    for (const { text, finishReason } of await of({ regex: "\\d{3}-[A-F]{2}" })) {
      expect(text).toMatch(/^\d{3}-[A-F]{2}$/)
      expect(finishReason).toBe("stop")
    }
    for (const { text } of await of({ choice: ["yes", "no", "maybe so"] }))
      expect(["yes", "no", "maybe so"]).toContain(text)
    for (const { text } of await of({ grammar: 'root ::= "(" [a-z]{1,9} ")"' }))
      expect(text).toMatch(/^\([a-z]{1,9}\)$/)
    for (const { text, finishReason } of await of({ jsonObject: true }))
      if (finishReason === "stop") expect(JSON.parse(text)).toBeTypeOf("object")
    for (const { text } of await of({ json: JSON.stringify({ type: "integer", minimum: 10, maximum: 12 }) }))
      expect(["10", "11", "12"]).toContain(text)
  })

  it("end at the end of the grammar whatever else is said of ends", async () => {
    const structuredOutputs = { choice: ["yes", "no"] }
    for (const more of [{ ignoreEos: true }, { minTokens: 20 }, { includeStopStrInOutput: true }, { logprobs: 2 }]) {
      const [output] = await llm.generate("Answer:", { maxTokens: 40, structuredOutputs, ...more })
      expect(["yes", "no"]).toContain(output!.outputs[0]!.text)
      expect(output!.outputs[0]).toMatchObject({ finishReason: "stop", stopReason: null })
    }
  })

  it("give the same text beside others as alone", async () => {
    const params = { temperature: 1, seed: 9, maxTokens: 60, structuredOutputs: { json: schema } }
    const [alone] = await llm.generate(question, params)
    const crowd = Array.from({ length: 6 }, (_, i) => ({ temperature: 1, seed: i, maxTokens: 30 }))
    const all = await llm.generate([question, ...crowd.map((_, i) => `${question}${i}`)], [params, ...crowd])
    expect(all[0]!.outputs[0]!.text).toBe(alone!.outputs[0]!.text)
  })

  it("are that request's error when they are bad, and the engine goes on", async () => {
    const bad = [
      [{ json: { type: "integer", minimum: 2, maximum: 1 } }, "structuredOutputs.json"],
      [{ regex: "(" }, "structuredOutputs.regex"],
      [{ grammar: 'root ::= root "a" | "b"' }, "structuredOutputs.grammar"],
      [{ choice: [] }, "structuredOutputs.choice"],
      [{ jsonObject: false }, "structuredOutputs.jsonObject"],
      [{ json: "{}", regex: "x" }, "structuredOutputs"],
      [{}, "structuredOutputs"]
    ] as const
    for (const [structuredOutputs, field] of bad) {
      const error = await llm.generate("x", { structuredOutputs } as object).catch((caught: InvalidRequest) => caught)
      expect(error).toBeInstanceOf(InvalidRequest)
      expect(error).toMatchObject({ field })
    }
    const [output] = await llm.generate("x", { maxTokens: 3 })
    expect(output!.outputs[0]!.tokenIds).toHaveLength(3)
  })
})
