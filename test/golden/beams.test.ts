import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layer } from "../../src/layers/compose/engine.ts"
import { Engine } from "../../src/services/Engine.ts"
import { folderOf } from "../support/golden.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

/** A beam search by vLLM's rules over transformers' logits (float32, CPU). */
interface BeamCase {
  readonly width: number
  readonly maxTokens: number
  readonly lengthPenalty: number
  readonly ignoreEos: boolean
  readonly eosTokenId: number
  readonly promptTokenIds: ReadonlyArray<number>
  readonly beams: ReadonlyArray<{
    readonly tokenIds: ReadonlyArray<number>
    readonly cumulativeLogprob: number
    readonly score: number
  }>
}

const caseOf = (name: string): BeamCase => JSON.parse(readFileSync(join(folderOf(name), "expected.json"), "utf8")).beam

describe.each(["opt-125m-like", "mistral-sliding"])("beam search over %s", (name) => {
  it.live.each(["reference", "cpu"] as const)("finds vLLM's beams on %s", (device) => {
    if (device === "cpu" && !nativeBuilt()) return Effect.void
    const wanted = caseOf(name)
    const { promptTokenIds, width: beamWidth, maxTokens, lengthPenalty, ignoreEos } = wanted
    return Effect.gen(function* () {
      const engine = yield* Engine
      const params = { beamWidth, maxTokens, lengthPenalty, ignoreEos }
      const { sequences } = yield* engine.beamSearch({ promptTokenIds, params })
      expect(sequences.map(({ outputTokenIds }) => outputTokenIds)).toEqual(
        wanted.beams.map(({ tokenIds }) => tokenIds)
      )
      sequences.forEach((sequence, i) => {
        const beam = wanted.beams[i]!
        expect(Math.abs(sequence.cumulativeLogprob - beam.cumulativeLogprob)).toBeLessThanOrEqual(1e-4)
        expect(Math.abs(sequence.score - beam.score)).toBeLessThanOrEqual(1e-4)
        expect(sequence.tokenIds).toEqual([...promptTokenIds, ...beam.tokenIds])
        expect(sequence.finishReason).toBe(beam.tokenIds.at(-1) === wanted.eosTokenId ? "stop" : "length")
      })
      const { kvBlocksFree, kvBlocksTotal, running, waiting } = yield* engine.metrics
      expect([running, waiting, kvBlocksFree]).toEqual([0, 0, kvBlocksTotal])
    }).pipe(Effect.provide(layer({ model: folderOf(name), device, dtype: "float32", skipTokenizerInit: true })))
  })
})
