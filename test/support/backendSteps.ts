import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { StepInput, StepResult } from "../../src/domain/batch/step.ts"
import type { LoadedModel } from "../../src/services/Backend.ts"
import { batchOf, blockSize } from "./batch.ts"
import { changedCheckpoint } from "./checkpoints.ts"
import { folderOf, goldenCases, type loadFolder } from "./golden.ts"

/** Enrols one promise: a test of the folder's model in float32 on the backend under test. */
export type Run = (
  promise: string,
  folder: string,
  test: (model: LoadedModel) => Effect.Effect<void, unknown, Effect.Effect.Context<ReturnType<typeof loadFolder>>>
) => void

/** Row `r` of a result, whole: two of them are equal only bit for bit. */
const row = (result: StepResult, r: number) => ({
  token: result.tokens[r],
  logprob: result.logprobs[r],
  rank: result.ranks[r],
  fault: result.faults[r],
  topTokens: result.topTokens.slice(r * result.top, (r + 1) * result.top),
  topLogprobs: result.topLogprobs.slice(r * result.top, (r + 1) * result.top)
})
const lastRow = (result: StepResult) => row(result, result.tokens.length - 1)

export const longPrompt = (name: string) => goldenCases(name).at(-1)!.promptTokenIds
const ownBlocks = [3, 9, 1, 7, 5]
const otherBlocks = [2, 8, 4, 6, 10]

/** The prompt in steps of `size` tokens. */
const chunked = (model: LoadedModel, prompt: ReadonlyArray<number>, size: number, blocks = ownBlocks) =>
  Effect.gen(function* () {
    let result: StepResult | undefined
    for (let computed = 0; computed < prompt.length; computed += size)
      result = yield* model.step(batchOf(0, [{ tokens: prompt.slice(computed, computed + size), computed, blocks }]))
    return lastRow(result!)
  })

export const whole = (model: LoadedModel, prompt: ReadonlyArray<number>) => chunked(model, prompt, prompt.length)

/** Bits that no cut, neighbour or block may change. */
export const numerics = (run: Run): void => {
  for (const name of ["llama-gqa", "mistral-sliding", "gpt2"])
    run(`${name}: a prompt cut anywhere, in any blocks, gives the same bits`, folderOf(name), (model) =>
      Effect.gen(function* () {
        const prompt = longPrompt(name)
        const wanted = yield* whole(model, prompt)
        for (const size of [1, 7, 16, 33]) expect(yield* chunked(model, prompt, size, otherBlocks)).toEqual(wanted)
      })
    )

  run("a sequence among others gives the bits that it gives alone", folderOf("llama-gqa"), (model) =>
    Effect.gen(function* () {
      const [a, b] = [goldenCases("llama-gqa")[2]!.promptTokenIds, longPrompt("llama-gqa")]
      const alone = [yield* whole(model, a), yield* whole(model, b)]
      const both = yield* model.step(
        batchOf(0, [
          { tokens: a, computed: 0, blocks: otherBlocks },
          { tokens: b, computed: 0, blocks: ownBlocks }
        ])
      )
      expect([row(both, 0), row(both, 1)]).toEqual(alone)
    })
  )

  run("a token that is still being drawn stands for itself in the next step", folderOf("qwen2"), (model) =>
    Effect.gen(function* () {
      const { promptTokenIds, greedy } = goldenCases("qwen2")[1]!
      const next = batchOf(1, [{ tokens: [-1], computed: promptTokenIds.length, blocks: ownBlocks }])
      const prompt = batchOf(0, [{ tokens: promptTokenIds, computed: 0, blocks: ownBlocks }])
      const [, second] = yield* Effect.all([model.step(prompt), model.step(next)], { concurrency: "unbounded" })
      expect(second.tokens[0]).toBe(greedy[1])
    })
  )

  run("a copied block continues as its original does", folderOf("llama-gqa"), (model) =>
    Effect.gen(function* () {
      const prompt = longPrompt("llama-gqa").slice(0, blockSize + 5)
      yield* whole(model, prompt)
      const next = { tokens: [7], computed: prompt.length }
      const original = yield* model.step(batchOf(1, [{ ...next, blocks: ownBlocks }]))
      const fork = [ownBlocks[0]!, otherBlocks[1]!]
      const copied = yield* model.step(batchOf(2, [{ ...next, blocks: fork }], [ownBlocks[1]!, fork[1]!]))
      expect(lastRow(copied)).toEqual(lastRow(original))
    })
  )
}

/** A step with its last row drawn at temperature 1 by this seed and output index. */
const drawn = (step: StepInput, seed: number, outputIndex: number): StepInput => {
  const { rows } = step
  const last = rows.index.length - 1
  return {
    ...step,
    rows: {
      ...rows,
      temperature: rows.temperature.map((given, r) => (r === last ? 1 : given)),
      seed: rows.seed.map((given, word) => (word === 2 * last ? seed : given)),
      outputIndex: rows.outputIndex.map((given, r) => (r === last ? outputIndex : given))
    }
  }
}

/** What a draw may depend on. */
export const draws = (run: Run): void =>
  run(
    "a draw is a function of logits, seed and output index: not of the batch, nor of the draw before",
    folderOf("gpt2"),
    (model) =>
      Effect.gen(function* () {
        const prompt = longPrompt("gpt2")
        const own = { tokens: prompt, computed: 0, blocks: ownBlocks }
        const other = { tokens: prompt.slice(0, 20), computed: 0, blocks: otherBlocks }
        const seen = new Set<number>()
        for (let index = 0; index < 12; index++) {
          const alone = yield* model.step(drawn(batchOf(0, [own]), 42, index))
          const among = yield* model.step(drawn(batchOf(1, [other, own]), 42, index))
          expect(lastRow(among)).toEqual(lastRow(alone))
          seen.add(alone.tokens[0]!)
        }
        expect(seen.size).toBeGreaterThan(2)
      })
  )

/** Logits that are not finite. */
export const faults = (run: Run): void => {
  const poisoned = 5
  const folder = changedCheckpoint(folderOf("llama-gqa"), (tensors) =>
    tensors.map((tensor) => {
      if (!tensor.name.endsWith("embed_tokens.weight")) return tensor
      const values = new Float32Array(new Uint8Array(tensor.data).buffer)
      values.fill(Number.NaN, poisoned * 64, (poisoned + 1) * 64)
      return { ...tensor, data: new Uint8Array(values.buffer) }
    })
  )
  run("a NaN is its own request's fault: not a neighbour's, nor of who gets the blocks next", folder, (model) =>
    Effect.gen(function* () {
      const prompt = longPrompt("llama-gqa").filter((token) => token !== poisoned)
      const wanted = yield* whole(model, prompt)
      expect(wanted.fault).toBe(0)
      const sick = { tokens: [1, poisoned, ...prompt.slice(0, 40)], computed: 0, blocks: otherBlocks }
      const both = yield* model.step(batchOf(1, [sick, { tokens: prompt, computed: 0, blocks: ownBlocks }]))
      expect(both.faults[0]).toBe(1)
      expect(row(both, 1)).toEqual(wanted)
      // 33 tokens end inside a block: the rest of it still holds what the sick one left.
      const short = prompt.slice(0, 33)
      const clean = yield* chunked(model, short, 33, ownBlocks)
      expect(yield* chunked(model, short, 33, otherBlocks)).toEqual(clean)
    })
  )
}
