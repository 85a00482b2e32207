import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CheckpointInvalid, ModelNotFound } from "../domain/errors.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"

/** A checkpoint on this machine: its JSON files parsed (absent ones undefined), its tensors indexed, not read. */
export interface ModelFolder {
  /** Absolute path. */
  readonly path: string
  readonly config: Readonly<Record<string, unknown>>
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined
  /** Text of a file of the folder by name (`tokenizer.json`...) or absolute path, read on demand; undefined when absent. */
  readonly readText: (name: string) => Effect.Effect<string | undefined, CheckpointInvalid>
  /** Reads and checks the headers of the safetensors files: one file, or shards with an index. */
  readonly tensors: Effect.Effect<CheckpointTensors, CheckpointInvalid>
}

export class ModelSource extends Context.Tag("millrace/ModelSource")<
  ModelSource,
  { readonly open: (model: string) => Effect.Effect<ModelFolder, ModelNotFound | CheckpointInvalid> }
>() {}
