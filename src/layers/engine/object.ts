import * as Effect from "effect/Effect"
import * as JSONSchema from "effect/JSONSchema"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { show } from "../../domain/config/show.ts"
import { type GenerateError, InvalidRequest, ObjectInvalid } from "../../domain/errors.ts"
import type { Json } from "../../domain/grammar/json/schema.ts"
import { freeStrings } from "../../domain/object/freeStrings.ts"
import { partialJson } from "../../domain/object/partialJson.ts"
import type { ChatRequest, GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { GenerationDelta } from "../../domain/request/outputs.ts"
import { decodeSampling } from "../../domain/sampling/samplingParams.ts"
import { Engine, type EngineService } from "../../services/Engine.ts"
import { prepareChat } from "./chat.ts"

/** A text to continue or a chat to reply to; its reply is the object. */
export type ObjectRequest = GenerateRequest | ChatRequest

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** As much of a value as is known: what is there is whole, but free strings, arrays and objects may still grow. */
export type PartialValue<A> =
  A extends ReadonlyArray<infer Item>
    ? ReadonlyArray<PartialValue<Item>>
    : A extends object
      ? { readonly [K in keyof A]?: PartialValue<A[K]> }
      : A

type ObjectError = GenerateError | ObjectInvalid

/** What a reply is held to, and what is made of its text. */
interface Target<A, R> {
  readonly json: JsonSchema
  readonly decode: (value: unknown, text: string) => Effect.Effect<A, ObjectInvalid, R>
}

/** The encoded side of an Effect Schema as JSON Schema; the reply is decoded to its type. */
const typedTarget = <A, I, R>(schema: Schema.Schema<A, I, R>): Effect.Effect<Target<A, R>, InvalidRequest> =>
  Effect.try({
    try: () => JSONSchema.make(Schema.encodedBoundSchema(schema), { target: "jsonSchema2020-12" }),
    catch: (fault) =>
      new InvalidRequest({
        field: "schema",
        given: "an Effect Schema",
        expected: "one whose encoded side is JSON",
        mend: fault instanceof Error ? fault.message : String(fault)
      })
  }).pipe(
    Effect.map((json) => ({
      json: json as unknown as JsonSchema,
      decode: (value, text) =>
        Effect.mapError(
          Schema.decodeUnknown(schema)(value),
          (error) => new ObjectInvalid({ text, issue: ParseResult.TreeFormatter.formatErrorSync(error) })
        )
    }))
  )

/** What decoding needs stands in the caller's types alone: by here it is in the context. */
const targetOf = (schema: Schema.Schema.All | JsonSchema): Effect.Effect<Target<unknown, never>, InvalidRequest> => {
  if (Schema.isSchema(schema)) return typedTarget(schema as Schema.Schema<unknown>)
  if (typeof schema === "object" && schema !== null)
    return Effect.succeed({ json: schema as JsonSchema, decode: Effect.succeed })
  return new InvalidRequest({
    field: "schema",
    given: show(schema),
    expected: "an Effect Schema, or a JSON Schema as an object",
    mend: "Say what the object is to be."
  })
}

/** The request with its reply held to the schema, as long as it has to be where it does not say. */
const constrained = (engine: EngineService, request: ObjectRequest, json: JsonSchema) =>
  Effect.gen(function* () {
    const given = yield* decodeSampling(request?.params ?? {})
    for (const [field, value] of Object.entries({ n: given.n ?? 1, bestOf: given.bestOf ?? 1 }))
      if (value !== 1)
        return yield* new InvalidRequest({
          field,
          given: String(value),
          expected: "1",
          mend: "Ask for each object by itself."
        })
    if (given.structuredOutputs !== undefined)
      return yield* new InvalidRequest({
        field: "structuredOutputs",
        given: "a grammar",
        expected: "none beside the schema",
        mend: "Leave it out: the schema is what the reply conforms to."
      })
    const { maxModelLen } = engine.model
    const params = { maxTokens: maxModelLen, ...given, structuredOutputs: { json }, outputKind: "delta" as const }
    if (!("messages" in request)) return { ...request, params }
    const chat = yield* prepareChat(engine, { ...request, params })
    return chat.request
  })

/** The whole reply as a value; a reply that was cut is none. */
const settle = <A, R>(target: Target<A, R>, text: string, { finishReason, stopReason }: GenerationDelta) =>
  Effect.suspend((): Effect.Effect<A, ObjectInvalid, R> => {
    if (finishReason !== "stop")
      return new ObjectInvalid({ text, issue: `it ended by "${finishReason}" before it was whole: raise maxTokens.` })
    try {
      return target.decode(JSON.parse(text), text)
    } catch (fault) {
      const cause = stopReason === null ? String(fault) : `it was stopped by ${JSON.stringify(stopReason)}`
      return new ObjectInvalid({ text, issue: cause })
    }
  })

/** Partial values as they grow, then the decoded whole. */
const grow = <A, R>(target: Target<A, R>, deltas: Stream.Stream<GenerationDelta, GenerateError>) =>
  Stream.suspend(() => {
    const isFree = freeStrings(target.json as Json)
    let text = ""
    let shown: string | undefined
    return Stream.mapConcatEffect(deltas, (delta) =>
      Effect.suspend(() => {
        text += delta.text
        if (delta.finishReason !== null)
          return Effect.map(settle(target, text, delta), (whole): Array<unknown> => [whole])
        const value = partialJson(text, isFree)
        const form = JSON.stringify(value)
        if (value === undefined || form === shown) return Effect.succeed([])
        shown = form
        return Effect.succeed([value])
      })
    )
  })

const submitObject = (request: ObjectRequest, schema: Schema.Schema.All | JsonSchema) =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const target = yield* targetOf(schema)
    const { deltas } = yield* engine.submit(yield* constrained(engine, request, target.json))
    return { target, deltas }
  })

/** The object that a model replies with: an Effect Schema's type, decoded, or what a JSON Schema describes. */
export function generateObject<A, I, R>(
  request: ObjectRequest,
  schema: Schema.Schema<A, I, R>
): Effect.Effect<A, ObjectError, Engine | R>
export function generateObject(request: ObjectRequest, schema: JsonSchema): Effect.Effect<unknown, ObjectError, Engine>
export function generateObject(
  request: ObjectRequest,
  schema: Schema.Schema.All | JsonSchema
): Effect.Effect<unknown, ObjectError, Engine> {
  return Effect.scoped(
    Effect.flatMap(submitObject(request, schema), ({ target, deltas }) => {
      let text = ""
      return Stream.runFold(deltas, undefined as GenerationDelta | undefined, (_, delta) => {
        text += delta.text
        return delta
      }).pipe(Effect.flatMap((last) => settle(target, text, last!)))
    })
  )
}

/**
 * The same as it comes: partial values of the encoded side, each an extension of the one before, then the whole as
 * `generateObject` gives it.
 */
export function streamObject<A, I, R>(
  request: ObjectRequest,
  schema: Schema.Schema<A, I, R>
): Stream.Stream<PartialValue<I> | A, ObjectError, Engine | R>
export function streamObject(request: ObjectRequest, schema: JsonSchema): Stream.Stream<unknown, ObjectError, Engine>
export function streamObject(
  request: ObjectRequest,
  schema: Schema.Schema.All | JsonSchema
): Stream.Stream<unknown, ObjectError, Engine> {
  return Stream.unwrapScoped(Effect.map(submitObject(request, schema), ({ target, deltas }) => grow(target, deltas)))
}
