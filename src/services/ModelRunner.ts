import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { EngineOptions } from "../domain/config/engineOptions.ts"
import type { ResolvedOptions } from "../domain/config/resolve.ts"
import type { StartError } from "../domain/errors.ts"
import type { CompiledModel } from "../domain/model/load.ts"
import type { PoolerChoice } from "../domain/pooling/choice.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"
import type { DeviceFacts, LoadedModel } from "./Backend.ts"
import type { ModelFolder } from "./ModelSource.ts"

/** A checkpoint as it would run on this device: every tensor of its plan is accounted for, nothing is loaded yet. */
export interface PreparedModel extends CompiledModel {
  readonly tensors: CheckpointTensors
  readonly resolved: ResolvedOptions
}

/** From a checkpoint to a model that takes steps. */
export class ModelRunner extends Context.Tag("millrace/ModelRunner")<
  ModelRunner,
  {
    readonly device: DeviceFacts
    /** Reads config and tensor headers only; measures the device where a default depends on its speed. */
    readonly prepare: (
      folder: ModelFolder,
      options: EngineOptions,
      pooler?: PoolerChoice
    ) => Effect.Effect<PreparedModel, StartError>
    /** Weights, KV cache and native thread are the Scope's. */
    readonly load: (model: PreparedModel) => Effect.Effect<LoadedModel, StartError, Scope.Scope>
  }
>() {}
