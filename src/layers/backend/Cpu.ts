import { totalmem } from "node:os"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { CheckpointInvalid, DeviceFailed, DeviceUnavailable, OutOfMemory } from "../../domain/errors.ts"
import { arenaBytes, cacheBlockBytes, weightBytes } from "../../domain/plan/footprint.ts"
import { matchWeights } from "../../domain/weights/match.ts"
import { Backend, type LoadedModel, type LoadRequest } from "../../services/Backend.ts"
import { loadAddon, type NativeAddon, type NativeError, type NativeModel } from "./addon.ts"
import { measureLinear } from "./measureLinear.ts"
import { nativeRequest } from "./nativeRequest.ts"

export interface CpuOptions {
  /** All CPUs of the affinity mask and the cgroup's quota, when absent. */
  readonly numThreads?: number
  /** "amx", "avx512bf16", "avx512", "avx2" or "portable"; the best that the CPU has, when absent. */
  readonly isa?: string
}

/** What JavaScript, the addon and the page tables take beside weights, cache and arena. */
const reserve = 512 * 2 ** 20

/** The cgroup's limit or the machine's memory, whichever is less, without the reserve. */
const availableMemory = (): number => {
  const limit = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem())
  return Math.max(limit - reserve, Math.floor(limit / 2))
}

const modelName = ({ plan, tensors }: LoadRequest) =>
  tensors.files[0] === undefined ? plan.architecture : dirname(tensors.files[0])

const unavailable = (reason: string) =>
  new DeviceUnavailable({ device: "cpu", reason, mend: 'Set device to "reference" to run without native code.' })

/** Refuses what cannot fit, before the out-of-memory killer comes. */
const checkMemory = ({ plan, capacity }: LoadRequest, availableBytes: number) => {
  const weights = weightBytes(plan)
  const cache = cacheBlockBytes(plan, capacity.blockSize) * (capacity.blocks + 1)
  const neededBytes = weights + cache + arenaBytes(plan, capacity.maxTokens)
  return neededBytes <= availableBytes
    ? Effect.void
    : Effect.fail(
        new OutOfMemory({
          what: `The model (${Math.ceil(weights / 1e6)} MB of weights, ${Math.ceil(cache / 1e6)} MB of KV cache)`,
          neededBytes,
          availableBytes,
          mend: "Lower kvCacheMemoryBytes or maxModelLen, take a smaller dtype, or give the process more memory."
        })
      )
}

const loadFailure = (request: LoadRequest, memory: number) => (error: NativeError) => {
  switch (error.kind) {
    case "checkpoint":
      return new CheckpointInvalid({ model: modelName(request), problems: [error.message] })
    case "memory":
      return new OutOfMemory({
        what: `The model (${error.message})`,
        neededBytes: weightBytes(request.plan),
        availableBytes: memory,
        mend: "Give the process more memory, or take a smaller model or dtype."
      })
    default:
      return unavailable(error.message)
  }
}

const acquire = (addon: NativeAddon, request: LoadRequest, options: CpuOptions, memory: number) =>
  Effect.gen(function* () {
    const matched = matchWeights(request.plan, request.tensors)
    if (Either.isLeft(matched))
      return yield* new CheckpointInvalid({ model: modelName(request), problems: matched.left })
    yield* checkMemory(request, memory)
    const native = nativeRequest(matched.right, request.tensors, request.capacity, {
      numThreads: options.numThreads ?? 0,
      isa: options.isa ?? ""
    })
    return yield* Effect.async<NativeModel, NativeError>((resume) =>
      addon.load(native, (error, model) => resume(error ? Effect.fail(error) : Effect.succeed(model)))
    ).pipe(Effect.mapError(loadFailure(request, memory)))
  })

/** Waits for the steps that were submitted, then gives weights, cache and thread back. */
const release = (model: NativeModel) => Effect.async<void>((resume) => model.close(() => resume(Effect.void)))

const failed = (cause: unknown) =>
  Effect.fail(new DeviceFailed({ operation: "step", reason: cause instanceof Error ? cause.message : String(cause) }))

const loaded = (model: NativeModel): LoadedModel => ({
  step: (input) =>
    Effect.uninterruptible(
      Effect.async((resume) => {
        try {
          model.step(input, (error, result) => resume(error ? failed(error) : Effect.succeed(result)))
        } catch (cause) {
          resume(failed(cause))
        }
      })
    ),
  weightBytes: model.weightBytes,
  cacheBytes: model.cacheBytes
})

/** Loads a plan and answers the native handle itself: what tests of single ops look into. `layer` hides it. */
export const loadNative = (
  addon: NativeAddon,
  request: LoadRequest,
  options: CpuOptions = {},
  memory = availableMemory()
) => Effect.acquireRelease(acquire(addon, request, options, memory), release)

export const make = (options: CpuOptions = {}): Effect.Effect<typeof Backend.Service, DeviceUnavailable> =>
  Effect.gen(function* () {
    const addon = yield* loadAddon
    const info = yield* Effect.try({
      try: () => addon.info(options.isa ?? ""),
      catch: (cause) => unavailable(cause instanceof Error ? cause.message : String(cause))
    })
    const memory = availableMemory()
    const load = (request: LoadRequest) => Effect.map(loadNative(addon, request, options, memory), loaded)
    return {
      device: {
        name: "cpu",
        description: `${info.cpu} (${info.isa})`,
        threads: options.numThreads ?? info.threads,
        memory
      },
      load,
      measureFlops: (dtype) => measureLinear(load, dtype)
    }
  })

/** Runs plans on the CPU, by the native addon; each model has its own thread and pool. */
export const layer = (options: CpuOptions = {}): Layer.Layer<Backend, DeviceUnavailable> =>
  Layer.effect(Backend, make(options))
