import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Plan } from "../../../src/domain/plan/plan.ts"
import { loadAddon } from "../../../src/layers/backend/addon.ts"
import { make } from "../../../src/layers/backend/Cuda.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"

const instruction = (op: Plan["instructions"][number]["op"]) => ({ op, operands: [], attributes: {} })
const plan: Plan = {
  architecture: "LlamaForCausalLM",
  dtype: "float32",
  instructions: [instruction("embed"), instruction("linear"), instruction("attention"), instruction("linear")],
  headStart: 4,
  slots: [],
  tokenBytes: 0,
  outputBytes: 0,
  weights: [],
  cacheGroups: [],
  logits: { kind: "view", slot: 0, column: 0, columns: 1 },
  vocabSize: 1
}
const gpu = { name: "NVIDIA H100", memoryBytes: 80e9, computeCapability: "9.0" }

it.effect("without a device the layer fails with the module's own reason", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(make({ devices: [], reason: "this build has no CUDA module" }))
    expect(error.message).toBe(
      'The device cuda cannot be used: no CUDA device answers: this build has no CUDA module. Set device to "cpu", or leave it at "auto".'
    )
  })
)

it.effect("with a device, loading a plan names the model and each op that has no kernel, and where", () =>
  Effect.gen(function* () {
    const backend = yield* make({ devices: [gpu], reason: "" })
    expect(backend.device.description).toBe("NVIDIA H100 (compute capability 9.0)")
    const capacity = { maxTokens: 8, maxSequences: 1, blocks: 1, blockSize: 16 }
    const request = { plan, tensors: { files: [], tensors: new Map() }, capacity }
    const error = yield* Effect.flip(Effect.scoped(backend.load(request)))
    expect(error.message).toContain("LlamaForCausalLM")
    expect(error.message).toContain(
      "linear (instruction 1 and 1 more): the CUDA kernel of linear comes with the CUDA backend"
    )
    expect(error.message).toContain("attention (instruction 2)")
    expect(error.message).not.toContain("embed")
  })
)

it.skipIf(!nativeBuilt())("the addon lists the devices that answer, or says why there is none", () => {
  const { devices, reason } = Effect.runSync(loadAddon).cudaInfo()
  expect(devices.length > 0 ? "" : reason).toBe(reason)
  for (const { name, memoryBytes, computeCapability } of devices) {
    expect(name).not.toBe("")
    expect(memoryBytes).toBeGreaterThan(0)
    expect(computeCapability).toMatch(/^\d+\.\d+$/)
  }
  if (devices.length === 0)
    expect(reason).toMatch(/no nvcc was found|no NVIDIA driver|no CUDA-capable device|no device/)
})
