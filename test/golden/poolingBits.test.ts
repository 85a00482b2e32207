import { describe, expect, layer as suite } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Pooling } from "../../src/domain/pooling/target.ts"
import { poolTarget } from "../../src/domain/pooling/target.ts"
import { layer as cpu } from "../../src/layers/backend/Cpu.ts"
import { instructionPaths } from "../support/devices.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"
import { openPooler, type PoolAnswer } from "../support/pooling.ts"

/** Tokens of a text of one's own: any ids will do. */
const tokensOf = (length: number, seed: number) => Array.from({ length }, (_, i) => 5 + ((i * 37 + seed * 101) % 400))
const text = (length: number, seed: number, pooling: Pooling) => {
  const tokens = tokensOf(length, seed)
  return { tokens, target: poolTarget(pooling, tokens) }
}
const bits = ({ pooled, each }: PoolAnswer) =>
  [...(pooled === undefined ? [] : [pooled]), ...each].map((row) => Buffer.from(row.buffer).toString("hex")).join(" ")

const lengths = [1, 16, 33, 100, 7, 64, 65, 150]
const crowd = (pooling: Pooling) => lengths.map((length, i) => text(length, i, pooling))

/** The crowd's bits from an engine of its own. */
const answersOf = (name: string, pooling: "CLS" | "LAST" | "MEAN" | "ALL", maxNumBatchedTokens: number) =>
  Effect.gen(function* () {
    const choice = { pooling, ...(name.startsWith("llama") ? { convert: "embed" as const } : {}) }
    const model = yield* openPooler(name, { dtype: "float32", maxNumBatchedTokens, choice })
    const { answers, steps } = yield* model.run(crowd(pooling))
    return { bits: answers.map(bits), steps }
  }).pipe(Effect.scoped)

describe.skipIf(!nativeBuilt())("a text's rows have the same bits", () => {
  suite(cpu(), { excludeTestServices: true })((run) => {
    for (const pooling of ["CLS", "LAST", "MEAN", "ALL"] as const)
      run.effect(`${pooling} of a causal model, however its texts are split`, () =>
        Effect.gen(function* () {
          const whole = yield* answersOf("llama-as-embedding", pooling, 512)
          for (const budget of [16, 33, 70]) {
            const split = yield* answersOf("llama-as-embedding", pooling, budget)
            expect(split.bits, `${budget} tokens a step`).toEqual(whole.bits)
            expect(split.steps).toBeGreaterThanOrEqual(Math.ceil(436 / budget))
          }
        })
      )

    run.effect("MEAN and ALL of encoders, among others and alone", () =>
      Effect.gen(function* () {
        for (const name of ["bert-embed", "modernbert-embed"] as const)
          for (const pooling of ["MEAN", "ALL"] as const) {
            const model = yield* openPooler(name, { dtype: "bfloat16", choice: { pooling } })
            const short = crowd(pooling).filter(({ tokens }) => tokens.length <= 160)
            const { answers, steps } = yield* model.run(short)
            expect(steps, "all of them in one step").toBe(1)
            for (const [i, one] of short.entries())
              expect(bits((yield* model.run([one])).answers[0]!), `${name} ${i}`).toBe(bits(answers[i]!))
          }
      }).pipe(Effect.scoped)
    )
  })

  suite(cpu(), { excludeTestServices: true })((run) => {
    run.effect("from the prefix cache: LAST reads it; MEAN, CLS and ALL, which need every token, do not", () =>
      Effect.gen(function* () {
        for (const pooling of ["CLS", "LAST", "MEAN", "ALL"] as const) {
          const model = yield* openPooler("llama-as-embedding", {
            dtype: "float32",
            choice: { convert: "embed", pooling }
          })
          const fresh = (yield* model.run([text(100, 3, pooling)])).answers[0]!
          const again = (yield* model.run([text(100, 3, pooling)])).answers[0]!
          expect(again.cached, pooling).toBe(pooling === "LAST" ? 96 : 0)
          expect(bits(again), pooling).toBe(bits(fresh))
        }
      }).pipe(Effect.scoped)
    )
  })
})

describe.skipIf(!nativeBuilt())("an encoder's rows have the same bits", async () => {
  const want = await Effect.runPromise(
    Effect.provide(answersOf("bert-embed", "MEAN", 512), cpu({ numThreads: 1, isa: "portable" })).pipe(Effect.orDie)
  ).catch(() => undefined)
  for (const isa of await instructionPaths().catch(() => []))
    suite(cpu({ isa, numThreads: 2 }), { excludeTestServices: true })((run) => {
      run.effect(`on ${isa}, two threads`, () =>
        Effect.map(answersOf("bert-embed", "MEAN", 512), (got) => expect(got.bits).toEqual(want!.bits))
      )
    })
})
