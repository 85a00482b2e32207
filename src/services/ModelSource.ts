import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CheckpointInvalid, ModelNotFound } from "../domain/errors.ts"
import type { Part } from "../domain/hub/selection.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"

/** A checkpoint on this machine: its JSON files parsed (absent ones undefined), its tensors indexed, not read. */
export interface ModelFolder {
  /** Absolute path. */
  readonly path: string
  readonly config: Readonly<Record<string, unknown>>
  readonly generationConfig: Readonly<Record<string, unknown>> | undefined
  /** Text of a file of the folder by name (`tokenizer.json`...) or absolute path, read on demand; undefined when absent. */
  readonly readText: (name: string) => Effect.Effect<string | undefined, CheckpointInvalid>
  /** Names of the files of a folder within, sorted; none when there is no such folder. */
  readonly list: (folder: string) => Effect.Effect<ReadonlyArray<string>, CheckpointInvalid>
  /** Reads and checks the headers of the weight files: one file, or shards with an index. */
  readonly tensors: Effect.Effect<CheckpointTensors, CheckpointInvalid>
  /** The same of a folder inside, such as a module of Sentence Transformers. */
  readonly tensorsIn: (folder: string) => Effect.Effect<CheckpointTensors, CheckpointInvalid>
}

export interface OpenOptions {
  /** On the Hub; absent: `main`. A local folder has none. */
  readonly revision?: string | undefined
  /** What is wanted of it, all of a model by default: without that, config.json may be absent too. */
  readonly part?: Part
}

export class ModelSource extends Context.Tag("millrace/ModelSource")<
  ModelSource,
  {
    /** A local folder, or a model of the Hub where no such folder exists. */
    readonly open: (
      model: string,
      options?: OpenOptions
    ) => Effect.Effect<ModelFolder, ModelNotFound | CheckpointInvalid>
  }
>() {}
