import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { serialize } from "node:v8"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { arenaBytes, cacheBlockBytes, weightBytes } from "../../../src/domain/plan/footprint.ts"
import { loadAddon } from "../../../src/layers/backend/addon.ts"
import { layer, loadNative } from "../../../src/layers/backend/Cpu.ts"
import { nativeRequest } from "../../../src/layers/backend/nativeRequest.ts"
import { make as source } from "../../../src/layers/ModelSource.ts"
import { Backend, type Capacity } from "../../../src/services/Backend.ts"
import { blockSize } from "../../support/batch.ts"
import { tempFolder } from "../../support/checkpoints.ts"
import { compileFolder, folderOf, loadFolder, stepOf } from "../../support/golden.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"

const folder = folderOf("llama-gqa")
const capacity: Capacity = { maxTokens: 64, maxSequences: 4, blocks: 12, blockSize }
const request = Effect.gen(function* () {
  const { plan } = compileFolder(folder)
  return { plan, tensors: yield* (yield* source.open(folder)).tensors, capacity }
})
const prompt = [1, 5, 9, 13, 2, 7]
const script = fileURLToPath(new URL("../../support/endNative.mjs", import.meta.url))
const binary = fileURLToPath(new URL("../../../build/Release/millrace.node", import.meta.url))

describe.skipIf(!nativeBuilt())("the Cpu backend", () => {
  it.live("names the CPU, its instruction family and threads, and the memory there is", () =>
    Effect.gen(function* () {
      const { device } = yield* Backend
      expect(device.name).toBe("cpu")
      expect(device.description).toMatch(/\((amx|avx512bf16|avx512|avx2|portable)\)$/)
      expect(device.threads).toBe(2)
      expect(device.memory).toBeGreaterThan(1e8)
    }).pipe(Effect.provide(layer({ numThreads: 2 })))
  )

  it.live("an instruction family that does not exist is DeviceUnavailable, and says which do", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.provide(Backend, layer({ isa: "sse9" })))
      expect(error._tag).toBe("DeviceUnavailable")
      expect(error.message).toContain("sse9")
      expect(error.message).toContain("portable")
    })
  )

  it.live("native memory is what the domain foretold", () =>
    Effect.gen(function* () {
      const addon = yield* loadAddon
      const wanted = yield* request
      const model = yield* loadNative(addon, wanted)
      const pages = wanted.plan.cacheGroups.reduce((sum, group) => sum + group.layers, 0) * 2 * 4096
      const cache = cacheBlockBytes(wanted.plan, blockSize) * (capacity.blocks + 1)
      expect(model.cacheBytes).toBeGreaterThanOrEqual(cache)
      expect(model.cacheBytes).toBeLessThanOrEqual(cache + pages)
      expect(model.weightBytes).toBeGreaterThanOrEqual(weightBytes(wanted.plan))
      const between = wanted.plan.weights.reduce((sum, { kind }) => sum + (kind === "linear" ? 4096 : 64), 0)
      expect(model.weightBytes).toBeLessThanOrEqual(weightBytes(wanted.plan) + between)
      expect(Math.abs(model.arenaBytes - arenaBytes(wanted.plan, capacity.maxTokens))).toBeLessThanOrEqual(64)
    }).pipe(Effect.scoped)
  )

  it.live("a model that cannot fit is OutOfMemory before a byte is taken", () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const wanted = yield* request
      const load = backend.load({ ...wanted, capacity: { ...capacity, blocks: 100_000_000 } })
      const error = yield* Effect.flip(Effect.scoped(load))
      expect(error._tag).toBe("OutOfMemory")
      expect(error.message).toContain("KV cache")
    }).pipe(Effect.provide(layer()))
  )

  it.live("a checkpoint that lacks a tensor, or whose file is gone, is CheckpointInvalid", () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const wanted = yield* request
      const [first, ...rest] = [...wanted.tensors.tensors]
      const lacking = { ...wanted.tensors, tensors: new Map(rest) }
      const missing = yield* Effect.flip(Effect.scoped(backend.load({ ...wanted, tensors: lacking })))
      expect(missing._tag).toBe("CheckpointInvalid")
      expect(missing.message).toContain(first![0])
      const gone = { ...wanted.tensors, files: wanted.tensors.files.map((file) => `${file}.gone`) }
      const unread = yield* Effect.flip(Effect.scoped(backend.load({ ...wanted, tensors: gone })))
      expect(unread._tag).toBe("CheckpointInvalid")
      expect(unread.message).toContain(".gone cannot be opened")
    }).pipe(Effect.provide(layer()))
  )

  it.live("a plan that ops.h does not allow is refused by a sentence", () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const wanted = yield* request
      const plan = { ...wanted.plan, slots: wanted.plan.slots.map((slot) => ({ ...slot, offset: slot.offset + 4 })) }
      const error = yield* Effect.flip(Effect.scoped(backend.load({ ...wanted, plan })))
      expect(error._tag).toBe("DeviceUnavailable")
      expect(error.message).toContain("slot 0 does not lie in its region")
    }).pipe(Effect.provide(layer()))
  )

  it.live("a queued step takes the token that the running one draws, with the bits of a step that was told it", () =>
    Effect.gen(function* () {
      const native = yield* loadFolder(folder, { dtype: "float32" })
      const told = yield* loadFolder(folder, { dtype: "float32" })
      const running = yield* Effect.fork(native.step(stepOf(0, prompt, 0, false)))
      yield* Effect.yieldNow()
      const queued = yield* native.step(stepOf(1, [-1], prompt.length, false))
      const first = yield* Fiber.join(running)
      expect((yield* told.step(stepOf(0, prompt, 0, false))).tokens).toEqual(first.tokens)
      const after = yield* told.step(stepOf(1, [first.tokens[0]!], prompt.length, false))
      expect({ ...queued, elapsed: 0 }).toEqual({ ...after, elapsed: 0 })
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.live("a third step, and a step with a token that does not exist, are DeviceFailed; the model lives on", () =>
    Effect.gen(function* () {
      const model = yield* loadFolder(folder, { dtype: "float32" })
      const steps = [0, 1, 2].map((step) => Effect.exit(model.step(stepOf(step, prompt, 0, false))))
      const exits = yield* Effect.all(steps, { concurrency: "unbounded" })
      expect(exits.map(Exit.isSuccess)).toEqual([true, true, false])
      const error = yield* Effect.flip(model.step(stepOf(3, [1_000_000], 0, false)))
      expect(error.message).toContain("outside the embedding table")
      expect((yield* model.step(stepOf(4, prompt, 0, false))).faults[0]).toBe(0)
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )

  it.live("a step outlives the interruption of its fiber, and closing waits for it", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const model = yield* Scope.extend(loadFolder(folder, { dtype: "float32" }), scope)
      let retired = false
      const step = model.step(stepOf(0, prompt, 0, false)).pipe(Effect.ensuring(Effect.sync(() => (retired = true))))
      const fiber = yield* Effect.fork(step)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      expect(retired).toBe(true)
      yield* Scope.close(scope, Exit.void)
      expect((yield* Effect.flip(model.step(stepOf(1, prompt, 0, false)))).reason).toContain("closed")
    }).pipe(Effect.provide(layer()))
  )

  it.live("loading and closing again and again keeps resident memory flat", () =>
    Effect.gen(function* () {
      const round = Effect.scoped(
        Effect.flatMap(loadFolder(folder, { dtype: "float32" }), (model) => model.step(stepOf(0, prompt, 0, false)))
      )
      yield* Effect.repeatN(round, 20)
      const before = process.memoryUsage().rss
      yield* Effect.repeatN(round, 60)
      expect(process.memoryUsage().rss - before).toBeLessThan(64e6)
    }).pipe(Effect.provide(layer()))
  )

  it.live.each([
    {
      mode: "exit",
      status: 7,
      output: "",
      when: "process.exit while steps run joins the native thread and keeps its code"
    },
    {
      mode: "terminate",
      status: 0,
      output: "terminated\n",
      when: "worker.terminate while steps run ends the worker alone"
    },
    { mode: "idle", status: 0, output: "", when: "a model that nobody closed does not hold the process" }
  ])("$when", ({ mode, status, output }) =>
    Effect.gen(function* () {
      const wanted = yield* request
      const native = nativeRequest(wanted.plan, wanted.tensors, capacity, { numThreads: 2, isa: "" })
      const steps = [
        stepOf(
          0,
          Array.from({ length: 60 }, (_, i) => i),
          0,
          true
        ),
        stepOf(1, prompt, 60, false)
      ]
      const file = join(tempFolder(), "request")
      writeFileSync(file, serialize({ request: native, steps }))
      const ended = spawnSync(process.execPath, [script, mode, file, binary], { encoding: "utf8", timeout: 30_000 })
      expect({ status: ended.status, output: ended.stdout, errors: ended.stderr }).toEqual({
        status,
        output,
        errors: ""
      })
    })
  )
})
