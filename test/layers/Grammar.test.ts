import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { GrammarSource } from "../../src/domain/grammar/source.ts"
import { bytesTokenizer, endOfText, vocabSize } from "../../src/layers/engine/null/bytesTokenizer.ts"
import { layer } from "../../src/layers/Grammar.ts"
import { Grammar } from "../../src/services/Grammar.ts"

const grammars = Effect.map(Grammar, ({ make }) => make(bytesTokenizer, vocabSize))
const limits = { eosTokenIds: new Set([endOfText]), stopTokenIds: new Set<number>(), ignoreEos: false }

const nested = (depth: number) => {
  let schema: Record<string, unknown> = { type: "string" }
  for (let i = 0; i < depth; i++) schema = { type: "array", items: schema }
  return schema
}

describe("Grammar", () => {
  it.effect("compiles a source once, for whoever asks at once and later", () =>
    Effect.gen(function* () {
      const { compile } = yield* grammars
      const source: GrammarSource = { json: { type: "integer", maximum: 3 } }
      const [a, b] = yield* Effect.all([compile(source), compile({ json: { type: "integer", maximum: 3 } })], {
        concurrency: 2
      })
      assert.strictEqual(a, b)
      assert.strictEqual(yield* compile(source), a)
      assert.notStrictEqual(a.start(limits), a.start(limits))
    }).pipe(Effect.provide(layer))
  )

  it.effect("forgets the grammars that have not been asked for in a long while", () =>
    Effect.gen(function* () {
      const { compile } = yield* grammars
      const first = yield* compile({ choice: ["first"] })
      for (let i = 0; i < 70; i++) yield* compile({ choice: [`${i}`] })
      assert.notStrictEqual(yield* compile({ choice: ["first"] }), first)
    }).pipe(Effect.provide(layer))
  )

  it.effect("names the parameter and the place of what it refuses, and goes on", () =>
    Effect.gen(function* () {
      const { compile } = yield* grammars
      const refused = yield* Effect.flip(compile({ json: { items: { contains: {} } } }, "toolChoice"))
      assert.strictEqual(refused._tag, "InvalidRequest")
      assert.strictEqual(refused.field, "toolChoice.json#/items/contains")
      const deep = yield* Effect.flip(compile({ json: nested(50_000) }))
      assert.strictEqual(deep._tag, "InvalidRequest")
      assert.isTrue(Either.isRight(yield* Effect.either(compile({ json: nested(100) }))))
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses a tokenizer whose tokens' texts hang on their neighbours", () =>
    Effect.gen(function* () {
      const { make } = yield* Grammar
      const { compile } = make({ ...bytesTokenizer, tokenBytes: undefined }, vocabSize)
      assert.strictEqual((yield* Effect.flip(compile({ choice: ["a"] }))).field, "structuredOutputs")
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves out of a grammar what the vocabulary cannot write, and refuses it when nothing is left", () =>
    Effect.gen(function* () {
      const { make } = yield* Grammar
      const bytes = (id: number) => (id < 0x80 ? Uint8Array.of(id) : undefined)
      const { compile } = make({ ...bytesTokenizer, tokenBytes: bytes }, vocabSize)
      const constraint = (yield* compile({ choice: ["é", "e"] })).start(limits)
      const mask = new Uint32Array(constraint.words)
      constraint.fillMask(mask, 0)
      assert.deepStrictEqual(
        [...mask.entries()].filter(([, word]) => word !== 0),
        [[3, 1 << ("e".charCodeAt(0) % 32)]]
      )
      assert.include((yield* Effect.flip(compile({ choice: ["é"] }))).given, "no text matches")
    }).pipe(Effect.provide(layer))
  )

  it.effect("puts grammars together", () =>
    Effect.gen(function* () {
      const { compile } = yield* grammars
      const call = (name: string): GrammarSource => ({
        sequence: [{ text: `<${name}>` }, { json: { type: "boolean" } }, { text: ";" }]
      })
      const source: GrammarSource = { many: { either: [call("f"), call("g")] }, separator: { text: "," }, most: 2 }
      const constraint = (yield* compile(source)).start(limits)
      for (const byte of Buffer.from("<f>true;,<g>false;")) constraint.accept(byte)
      assert.isTrue(constraint.finished)
    }).pipe(Effect.provide(layer))
  )
})
