import { readFileSync } from "node:fs"
import * as Either from "effect/Either"
import type { DrawnRow } from "../../src/domain/batch/packEdits.ts"
import type { DrawParams } from "../../src/domain/request/sequence.ts"
import { noDefaults } from "../../src/domain/sampling/generationConfig.ts"
import { resolveSampling } from "../../src/domain/sampling/resolveSampling.ts"
import type { SamplingFacts } from "../../src/domain/sampling/samplingFacts.ts"

/** One case of test/golden/sampling, whose README says what each entry means. */
export interface SamplingCase {
  readonly name: string
  readonly logits: string
  readonly promptTokenIds: ReadonlyArray<number>
  readonly outputTokenIds: ReadonlyArray<number>
  readonly params: Readonly<Record<string, unknown>>
  readonly greedy: boolean
  readonly argmax: number
  readonly probabilities: ReadonlyArray<number>
  readonly kept: number
  readonly sampled: { readonly token: number; readonly logprob: number; readonly rank: number }
  readonly rawTopLogprobs: ReadonlyArray<readonly [number, number, number]>
  readonly processedLogprobOfSampled: number
}

interface Golden {
  readonly vocab: number
  readonly vectors: Readonly<Record<string, ReadonlyArray<number>>>
  readonly cases: ReadonlyArray<SamplingCase>
}

export const samplingGolden: Golden = JSON.parse(
  readFileSync(new URL("../golden/sampling/cases.json", import.meta.url), "utf8")
)

/** Words are written as their ids: "6,21". */
export const idWords = { encode: (text: string) => text.trim().split(",").map(Number) }

export const facts: SamplingFacts = {
  vocabSize: samplingGolden.vocab,
  modelVocabSize: samplingGolden.vocab,
  maxLogprobs: 20,
  eosTokenIds: [],
  tokenizer: idWords,
  seed: 0
}

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** The case's parameters, resolved as a request's are. */
export const drawOf = ({ params }: SamplingCase): DrawParams => {
  const given = Object.entries(params).map(([name, value]) =>
    name === "bad_words"
      ? ["badWords", (value as ReadonlyArray<ReadonlyArray<number>>).map(String)]
      : [camel(name), value]
  )
  return Either.getOrThrow(resolveSampling(Object.fromEntries(given), noDefaults, facts, 0)).draw
}

/** The case as a row of a step: what packEdits takes. */
export const rowOf = (golden: SamplingCase, row: number): DrawnRow => ({
  row,
  outputIndex: golden.outputTokenIds.length,
  sequence: {
    tokens: [...golden.promptTokenIds, ...golden.outputTokenIds],
    promptLength: golden.promptTokenIds.length,
    draw: drawOf(golden)
  }
})
