import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type { StepInput, StepResult } from "../../domain/batch/step.ts"
import { DeviceUnavailable } from "../../domain/errors.ts"
import type { EncodedPlan } from "../../domain/plan/encode.ts"

/** One entry of the weight table; `constant` is empty when there are segments. */
export interface NativeWeight {
  readonly name: string
  /** 0 linear, 1 table, 2 vector */
  readonly kind: number
  readonly dtype: number
  readonly rows: number
  readonly columns: number
  readonly constant: Float32Array
  /** [file, offset, bytes, storage dtype, tensor rows, tensor columns, rowStart, rows, transposed] a segment */
  readonly segments: Float64Array
}

export interface NativeLoadRequest extends EncodedPlan {
  readonly weights: ReadonlyArray<NativeWeight>
  readonly files: ReadonlyArray<string>
  readonly maxTokens: number
  readonly maxSequences: number
  readonly blocks: number
  readonly blockSize: number
  /** 0: all that the process may use. */
  readonly numThreads: number
  /** Empty: the best that this CPU has. */
  readonly isa: string
}

/** `kind` says who must mend it: the checkpoint's files, memory, the plan, the device, or the step's arrays. */
export interface NativeError extends Error {
  readonly kind: "checkpoint" | "memory" | "plan" | "device" | "step"
}

/** A loaded plan. Owned by whoever loaded it: `close` gives memory and thread back once the steps posted before have run. */
export interface NativeModel {
  readonly weightBytes: number
  readonly cacheBytes: number
  readonly arenaBytes: number
  readonly threads: number
  readonly isa: string
  /** Throws when two steps are waiting already. */
  readonly step: (input: StepInput, done: (error: NativeError | null, result: StepResult) => void) => void
  readonly close: (done: () => void) => void
  /** For tests, while no step runs: rows of an arena slot, and K and V, `[n][kvHeads * dim]`, of n cache slots. */
  readonly readSlot: (slot: number, rows: number) => Float32Array
  readonly writeSlot: (slot: number, values: Float32Array) => void
  /** Fills `keys` and `values`. */
  readonly readCache: NativeCacheAccess
  readonly writeCache: NativeCacheAccess
}
type NativeCacheAccess = (
  group: number,
  layer: number,
  slots: Int32Array,
  keys: Float32Array,
  values: Float32Array
) => void

export interface NativeAddon {
  /** Throws when the CPU does not have the instruction family that is asked for; empty: the best. */
  readonly info: (isa: string) => { readonly isa: string; readonly threads: number; readonly cpu: string }
  readonly cudaInfo: () => {
    readonly devices: ReadonlyArray<{
      readonly name: string
      readonly memoryBytes: number
      readonly computeCapability: string
    }>
    readonly reason: string
  }
  readonly load: (request: NativeLoadRequest, done: (error: NativeError | null, model: NativeModel) => void) => void
}

/** Where `npm run build:native` puts the addon, seen from src/ and from dist/ alike. */
// Three folders up, from here and from dist/bundle/cli, where scripts/bundle.mjs puts this code for the command line.
const binary = fileURLToPath(new URL("../../../build/Release/millrace.node", import.meta.url))

/** The native addon, loaded when the effect first runs: importing this module runs no native code. */
export const loadAddon: Effect.Effect<NativeAddon, DeviceUnavailable> = Effect.try({
  try: () => createRequire(import.meta.url)(binary) as NativeAddon,
  catch: (cause) =>
    new DeviceUnavailable({
      device: "cpu",
      reason: `the native addon ${binary} cannot be loaded (${cause instanceof Error ? cause.message.split("\n")[0] : cause})`,
      mend: 'Install CMake and a C++20 compiler and run "npm run build:native", or set device to "reference".'
    })
})
