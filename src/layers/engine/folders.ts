import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { EngineOptions } from "../../domain/config/engineOptions.ts"
import { overrideConfig } from "../../domain/config/hfOverrides.ts"
import { CheckpointInvalid, InvalidOptions } from "../../domain/errors.ts"
import {
  configDefaults,
  type GenerationDefaults,
  generationDefaults,
  readGenerationConfig
} from "../../domain/sampling/generationConfig.ts"
import { type ModelFolder, ModelSource } from "../../services/ModelSource.ts"

/** The model's checkpoint, its config.json under `hfOverrides`. */
export const openModel = Effect.fnUntraced(function* ({ model, revision, hfOverrides }: EngineOptions) {
  const folder = yield* (yield* ModelSource).open(model, { revision })
  return { ...folder, config: overrideConfig(folder.config, hfOverrides) } satisfies ModelFolder
})

/** Where tokenizer and chat template come from: the model's own folder, unless another or another revision is named. */
export const openTokenizer = Effect.fnUntraced(function* (model: ModelFolder, options: EngineOptions) {
  const { tokenizer, tokenizerRevision } = options
  if (tokenizer === undefined && tokenizerRevision === undefined) return model
  const source = yield* ModelSource
  return yield* source.open(tokenizer ?? options.model, { revision: tokenizerRevision, part: "tokenizer" })
})

/** Sampling defaults: the checkpoint's, another folder's, or none, under what the user overrides. */
export const readDefaults = Effect.fnUntraced(function* (folder: ModelFolder, options: EngineOptions) {
  const { model, generationConfig = "auto" } = options
  const elsewhere = generationConfig !== "auto" && generationConfig !== "vllm"
  const from = elsewhere ? yield* (yield* ModelSource).open(generationConfig, { part: "generation" }) : folder
  if (elsewhere && from.generationConfig === undefined)
    return yield* new InvalidOptions({
      field: "generationConfig",
      given: JSON.stringify(generationConfig),
      expected: '"auto", "vllm", or a folder that holds generation_config.json',
      mend: "Put the file there, or leave the option out."
    })
  const checkpoint: GenerationDefaults = yield* Either.mapLeft(
    from.generationConfig === undefined
      ? Either.right(configDefaults(from.config))
      : readGenerationConfig(from.generationConfig),
    (problems) => new CheckpointInvalid({ model: elsewhere ? generationConfig : model, problems })
  )
  return yield* Either.mapLeft(generationDefaults(checkpoint, options), (problem) => new InvalidOptions(problem))
})
