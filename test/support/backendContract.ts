import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { make as source } from "../../src/layers/ModelSource.ts"
import { Backend } from "../../src/services/Backend.ts"
import { draws, faults, longPrompt, numerics, type Run, whole } from "./backendSteps.ts"
import { blockSize } from "./batch.ts"
import { changedCheckpoint, convertedCheckpoint, convertTensor, shardedCheckpoint } from "./checkpoints.ts"
import { compileFolder, folderOf, goldenCases, loadFolder, stepOf } from "./golden.ts"

/** Bit patterns of one float32 read back through the test's own rounding. */
const storedAs = (dtype: "F16" | "BF16", values: Uint8Array): Uint8Array => {
  const half = new Uint16Array(
    convertTensor({ name: "", dtype: "F32", shape: [], data: values }, dtype).data.slice().buffer
  )
  const float = (bits: number) => {
    if (dtype === "BF16") return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!
    const [exponent, fraction, sign] = [(bits >> 10) & 31, bits & 1023, bits & 0x8000 ? -1 : 1]
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
  return new Uint8Array(Float32Array.from(half, float).buffer)
}

const files = (run: Run): void => {
  run("shards hold what the single file holds", shardedCheckpoint(folderOf("qwen3")), (model) =>
    Effect.gen(function* () {
      const single = yield* loadFolder(folderOf("qwen3"), { dtype: "float32" })
      const prompt = longPrompt("qwen3")
      expect(yield* whole(model, prompt)).toEqual(yield* whole(single, prompt))
    })
  )

  for (const stored of ["F16", "BF16"] as const)
    run(`${stored} weights widen exactly`, convertedCheckpoint(folderOf("gpt2"), stored), (model) =>
      Effect.gen(function* () {
        const rounded = changedCheckpoint(folderOf("gpt2"), (tensors) =>
          tensors.map((tensor) =>
            tensor.dtype === "F32" ? { ...tensor, data: storedAs(stored, tensor.data) } : tensor
          )
        )
        const wide = yield* loadFolder(rounded, { dtype: "float32" })
        const prompt = longPrompt("gpt2")
        expect(yield* whole(model, prompt)).toEqual(yield* whole(wide, prompt))
      })
    )
}

const refusals = <E>(backend: Layer.Layer<Backend, E>): void => {
  it.live("a checkpoint that does not fit is refused with every fault", () =>
    Effect.gen(function* () {
      const folder = changedCheckpoint(folderOf("llama-gqa"), (tensors) =>
        tensors.filter(({ name }) => !name.includes("layers.1.mlp"))
      )
      const error = yield* Effect.flip(loadFolder(folder, { dtype: "float32" }))
      expect(error._tag).toBe("CheckpointInvalid")
      for (const part of ["gate", "up", "down"])
        expect(error.message).toContain(`model.layers.1.mlp.${part}_proj.weight`)
    }).pipe(Effect.scoped, Effect.provide(backend))
  )

  it.live("a cache that memory cannot hold is refused at load", () =>
    Effect.gen(function* () {
      const folder = folderOf("llama-gqa")
      const tensors = yield* (yield* source.open(folder)).tensors
      const capacity = { maxTokens: 16, maxSequences: 1, blocks: 2 ** 30, blockSize }
      const load = (yield* Backend).load({ plan: compileFolder(folder).plan, tensors, capacity })
      expect((yield* Effect.flip(load))._tag).toBe("OutOfMemory")
    }).pipe(Effect.scoped, Effect.provide(backend))
  )

  it.live("two models on one backend do not see each other", () =>
    Effect.gen(function* () {
      const [a, b] = [goldenCases("gpt2")[2]!, goldenCases("qwen2")[2]!]
      const first = yield* loadFolder(folderOf("gpt2"), { dtype: "float32" })
      const second = yield* loadFolder(folderOf("qwen2"), { dtype: "float32" })
      yield* first.step(stepOf(0, a.promptTokenIds, 0, false))
      yield* second.step(stepOf(0, b.promptTokenIds, 0, false))
      const next = yield* first.step(stepOf(1, [a.greedy[0]!], a.promptTokenIds.length, false))
      const other = yield* second.step(stepOf(1, [b.greedy[0]!], b.promptTokenIds.length, false))
      expect([next.tokens[0], other.tokens[0]]).toEqual([a.greedy[1], b.greedy[1]])
    }).pipe(Effect.scoped, Effect.provide(backend))
  )
}

/** What every backend that computes must keep, whatever its kernels. */
export const backendContract = <E>(name: string, backend: Layer.Layer<Backend, E>): void => {
  describe(`${name} keeps the backend's contract`, () => {
    const run: Run = (promise, folder, test) =>
      it.live(promise, () =>
        Effect.flatMap(loadFolder(folder, { dtype: "float32" }), test).pipe(Effect.scoped, Effect.provide(backend))
      )
    numerics(run)
    draws(run)
    faults(run)
    files(run)
    refusals(backend)
  })
}
