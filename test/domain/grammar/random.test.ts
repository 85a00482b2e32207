import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { GrammarFault } from "../../../src/domain/grammar/fault.ts"
import type { TokenGrammar } from "../../../src/domain/grammar/tokenGrammar.ts"
import { load } from "../../../src/layers/Tokenizer.ts"
import { folderAt } from "../../support/modelFolder.ts"
import { judgeOf } from "./judge.ts"
import { type Choose, compile, makeVocabulary, small, type Vocabulary, write } from "./run.ts"
import { documents } from "./schemas.ts"

const tokenizer = await Effect.runPromise(load(folderAt(new URL("../../../models/brook", import.meta.url).pathname)))
const end = tokenizer.tokenId("<|im_end|>")!
const brook = makeVocabulary(tokenizer.tokenBytes!, tokenizer.vocabSize, end)

/** A small generator of numbers in [0, 1): mulberry32. */
const generator = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const closers = new Set([...'"]}'].map((char) => char.charCodeAt(0)))

/** What a normal logit of deviation 3 at temperature 2 and Gumbel's noise make together: the greatest is a draw from the softmax. */
const scores = (() => {
  const random = generator(7)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Float64Array.from({ length: 1 << 14 }, () => (3 * normal()) / 2 - Math.log(-Math.log(1 - random())))
})()

/** Draws at temperature 2 from random logits; later on, what closes something gets more of them, so that replies end. */
const drawing = (seed: number, { bytesOf, end }: Vocabulary): Choose => {
  const random = generator(seed)
  return (ids, length) => {
    const closing = 2 + length / 20
    let at = Math.floor(random() * scores.length)
    let [best, token] = [Number.NEGATIVE_INFINITY, ids[0]!]
    for (const id of ids) {
      at = (at + 1) % scores.length
      const closes = id === end || closers.has(bytesOf(id)![0]!)
      const score = scores[at]! + (closes ? closing : 0)
      if (score > best) [best, token] = [score, id]
    }
    return token
  }
}

const tryCompile = (schema: object, vocabulary: Vocabulary): TokenGrammar | GrammarFault => {
  try {
    return compile({ json: schema as Record<string, unknown> }, vocabulary)
  } catch (fault) {
    if (fault instanceof GrammarFault) return fault
    throw fault
  }
}

const schemas = FastCheck.sample(documents, { numRuns: 1000, seed: 5 })

/** Writes replies to each schema; answers how many schemas were refused, and how many replies were whole. */
const writeAll = (all: ReadonlyArray<Record<string, unknown>>, vocabulary: Vocabulary, replies: number) => {
  const count = { refused: 0, replies: 0, whole: 0 }
  all.forEach((schema, i) => {
    const grammar = tryCompile(schema, vocabulary)
    if (grammar instanceof GrammarFault) {
      count.refused++
      return
    }
    const judge = judgeOf(schema)
    for (let k = 0; k < replies; k++) {
      const { bytes, whole } = write(grammar, drawing(1000 * i + k, vocabulary), 200, vocabulary)
      count.replies++
      if (!whole) continue
      count.whole++
      const problem = judge(bytes)
      if (problem !== undefined) expect.fail(`${JSON.stringify(schema)}\n${Buffer.from(bytes).toString()}\n${problem}`)
    }
  })
  return count
}

const slices = Array.from({ length: 10 }, (_, i) => i)

describe("replies drawn at temperature 2 under random schemas", () => {
  // In ten parts, so that the runner hears of it.
  it.each(slices)(
    "validate, all that are whole: 100 schemas over tokens that cut JSON where it hurts, part %i",
    (part) => {
      const { refused, replies, whole } = writeAll(schemas.slice(100 * part, 100 * part + 100), small, 1)
      expect(refused).toBeLessThan(15)
      expect(whole / replies).toBeGreaterThan(0.6)
    },
    60_000
  )

  it("validate over a model's own vocabulary", () => {
    const { replies, whole } = writeAll(schemas.slice(0, 40), brook, 1)
    expect(whole / replies).toBeGreaterThan(0.5)
  }, 60_000)
})
