import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { StepInput, StepResult } from "../domain/batch/step.ts"
import type { CheckpointInvalid, DeviceFailed, DeviceUnavailable, OutOfMemory } from "../domain/errors.ts"
import type { Plan } from "../domain/plan/plan.ts"
import type { Dtype } from "../domain/tensor/dtype.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"

export interface Capacity {
  /** Tokens in one step, at most. */
  readonly maxTokens: number
  readonly maxSequences: number
  /** Usable KV blocks, numbered from 1; block 0 is the null block: zeros, never written. */
  readonly blocks: number
  readonly blockSize: number
}

export interface LoadRequest {
  readonly plan: Plan
  readonly tensors: CheckpointTensors
  readonly capacity: Capacity
}

/** A plan with its weights on a device. Owned by the Scope it was loaded in; released, it frees weights, cache and thread. */
export interface LoadedModel {
  /**
   * Queues one step behind those submitted before it (at most one may be running and one queued) and answers when it has run.
   * Uninterruptible: a submitted step always retires.
   */
  readonly step: (input: StepInput) => Effect.Effect<StepResult, DeviceFailed>
  readonly weightBytes: number
  readonly cacheBytes: number
}

export interface DeviceFacts {
  readonly name: "null" | "reference" | "cpu" | "cuda"
  /** For a person: the CPU and its instruction family, the GPU. */
  readonly description: string
  readonly threads: number
  /** Bytes that weights, cache and arena may take together. */
  readonly memory: number
}

/** A device that runs plans. */
export class Backend extends Context.Tag("millrace/Backend")<
  Backend,
  {
    readonly device: DeviceFacts
    /** Measures the floating-point operations a second of a wide linear op; absent where no default depends on it. */
    readonly measureFlops?: (dtype: Dtype) => Effect.Effect<number, DeviceUnavailable | OutOfMemory>
    readonly load: (
      request: LoadRequest
    ) => Effect.Effect<LoadedModel, CheckpointInvalid | DeviceUnavailable | OutOfMemory, Scope.Scope>
  }
>() {}
