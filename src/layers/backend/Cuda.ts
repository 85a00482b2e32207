import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DeviceUnavailable } from "../../domain/errors.ts"
import { opRecord } from "../../domain/ops/table.ts"
import type { Plan } from "../../domain/plan/plan.ts"
import { Backend } from "../../services/Backend.ts"
import { loadAddon, type NativeAddon } from "./addon.ts"

/** What the native CUDA module sees. */
export type CudaInfo = ReturnType<NativeAddon["cudaInfo"]>

const unavailable = (reason: string) =>
  new DeviceUnavailable({ device: "cuda", reason, mend: 'Set device to "cpu", or leave it at "auto".' })

/** One sentence for every op of the plan without a CUDA kernel: the op, where it stands first, how often, and why. */
export const missingKernels = (plan: Plan): ReadonlyArray<string> => {
  const nodes = new Map<string, { first: number; count: number; why: string }>()
  plan.instructions.forEach(({ op }, index) => {
    const why = opRecord(op).cudaMissing
    if (why === undefined) return
    const { first, count } = nodes.get(op) ?? { first: index, count: 0 }
    nodes.set(op, { first, count: count + 1, why })
  })
  return [...nodes].map(
    ([op, { first, count, why }]) => `${op} (instruction ${first}${count > 1 ? ` and ${count - 1} more` : ""}): ${why}`
  )
}

const load = (plan: Plan) => {
  const missing = missingKernels(plan)
  return Effect.fail(
    unavailable(
      missing.length > 0
        ? `the plan of ${plan.architecture} holds ops without a CUDA kernel: ${missing.join("; ")}`
        : `the plan of ${plan.architecture} has all its kernels, but the runtime that walks it comes with the CUDA backend`
    )
  )
}

/** The seam of the CUDA backend: devices are found and named; a plan is refused when it is loaded, never in a request. */
export const make = (info: CudaInfo): Effect.Effect<typeof Backend.Service, DeviceUnavailable> => {
  const [device] = info.devices
  if (device === undefined) return Effect.fail(unavailable(`no CUDA device answers: ${info.reason}`))
  return Effect.succeed({
    device: {
      name: "cuda",
      description: `${device.name} (compute capability ${device.computeCapability})`,
      threads: 1,
      memory: device.memoryBytes
    },
    load: ({ plan }) => load(plan)
  })
}

/** The GPU, found by the native addon's CUDA module. */
export const layer: Layer.Layer<Backend, DeviceUnavailable> = Layer.effect(
  Backend,
  Effect.flatMap(loadAddon, (addon) => make(addon.cudaInfo()))
)
