import * as Effect from "effect/Effect"
import type { EngineOptions } from "../../../domain/config/engineOptions.ts"
import { CheckpointInvalid } from "../../../domain/errors.ts"
import type { PoolerChoice } from "../../../domain/pooling/choice.ts"
import { classifierTokenNames, poolerChoice } from "../../../domain/pooling/poolerChoice.ts"
import {
  type EncoderSettings,
  encoderSettingsFiles,
  hasSettings,
  readEncoderSettings,
  readModules,
  readSentenceTransformers,
  type SentenceTransformers
} from "../../../domain/pooling/sentenceTransformers.ts"
import type { CheckpointTensors, TensorLocation } from "../../../domain/weights/checkpoint.ts"
import type { ModelFolder } from "../../../services/ModelSource.ts"
import type { TokenizerInstance } from "../../../services/Tokenizer.ts"

/** What a checkpoint's files say of its pooler, with the tensors of its modules among the folder's. */
export interface OpenedPooler {
  readonly folder: ModelFolder
  readonly choice: PoolerChoice
  readonly modules: SentenceTransformers | undefined
  readonly encoder: EncoderSettings
}

const invalid = (folder: ModelFolder, problem: string) =>
  new CheckpointInvalid({ model: folder.path, problems: [problem] })

const readJson = (folder: ModelFolder, name: string): Effect.Effect<unknown, CheckpointInvalid> =>
  Effect.flatMap(folder.readText(name), (text) =>
    text === undefined
      ? Effect.succeed(undefined)
      : Effect.try({
          try: (): unknown => JSON.parse(text.replace(/^\uFEFF/, "")),
          catch: (fault) => invalid(folder, `${name} is not JSON: ${fault instanceof Error ? fault.message : fault}`)
        })
  )

const object = (json: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Record<string, unknown>) : undefined

const openModules = Effect.fnUntraced(function* (folder: ModelFolder) {
  const json = yield* readJson(folder, "modules.json")
  if (json === undefined) return undefined
  const modules = readModules(json)
  if ("problem" in modules) return yield* invalid(folder, modules.problem)
  const settings = new Map<string, Readonly<Record<string, unknown>> | undefined>()
  for (const module of modules.filter(hasSettings))
    settings.set(module.path, object(yield* readJson(folder, `${module.path}/config.json`)))
  const read = readSentenceTransformers(modules, settings)
  return "problem" in read ? yield* invalid(folder, read.problem) : read
})

const openEncoder = Effect.fnUntraced(function* (folder: ModelFolder) {
  for (const name of encoderSettingsFiles) {
    const json = object(yield* readJson(folder, name))
    if (json !== undefined) return readEncoderSettings(json)
  }
  return readEncoderSettings({})
})

/** The tensors of a folder inside, under the folder's name, behind those of the checkpoint. */
const joined = (base: CheckpointTensors, folder: string, inner: CheckpointTensors): CheckpointTensors => {
  const tensors = new Map<string, TensorLocation>(base.tensors)
  for (const [name, location] of inner.tensors) {
    const full = `${folder}/${name}`
    tensors.set(full, { ...location, name: full, file: location.file + base.files.length })
  }
  return { files: [...base.files, ...inner.files], tensors }
}

/** The folder with the Dense modules' tensors; one that is missing is named by its folder. */
const withDense = (folder: ModelFolder, { dense = [] }: PoolerChoice, modules: SentenceTransformers | undefined) => {
  if (dense.length === 0 || modules === undefined) return folder
  const tensors = Effect.gen(function* () {
    let all = yield* folder.tensors
    for (const { folder: path } of modules.dense)
      all = joined(
        all,
        path,
        yield* Effect.mapError(folder.tensorsIn(path), ({ problems }) =>
          invalid(folder, `the weights of the module ${path}: ${problems.join("; ")}`)
        )
      )
    return all
  })
  return { ...folder, tensors } satisfies ModelFolder
}

const classifierTokens = Effect.fnUntraced(function* (
  folder: ModelFolder,
  tokenizer: Effect.Effect<TokenizerInstance | undefined, CheckpointInvalid>
) {
  const names = classifierTokenNames(folder.config)
  if (names === undefined) return undefined
  const instance = names.every((name) => typeof name === "number") ? undefined : yield* tokenizer
  const ids: Array<number> = []
  for (const name of names) {
    const id = typeof name === "number" ? name : instance?.tokenId(name)
    if (id === undefined)
      return yield* invalid(
        folder,
        `classifier_from_token names ${JSON.stringify(name)}, which is no token of the tokenizer`
      )
    ids.push(id)
  }
  return ids
})

/** Reads what modules.json, its folders, the encoder's settings and config.json say of the pooler. */
export const openPooler = Effect.fnUntraced(function* (
  folder: ModelFolder,
  options: EngineOptions,
  tokenizer: Effect.Effect<TokenizerInstance | undefined, CheckpointInvalid>
) {
  // A model that shall generate has no use for what makes an embedder of it.
  const modules = options.task === "generate" ? undefined : yield* openModules(folder)
  const tokens = options.task === "generate" ? undefined : yield* classifierTokens(folder, tokenizer)
  const choice = poolerChoice({
    config: folder.config,
    options,
    ...(modules === undefined ? {} : { modules }),
    ...(tokens === undefined ? {} : { classifierTokens: tokens })
  })
  const encoder = yield* openEncoder(folder)
  return { folder: withDense(folder, choice, modules), choice, modules, encoder } satisfies OpenedPooler
})
