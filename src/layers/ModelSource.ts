import { readdir, stat } from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ModelNotFound } from "../domain/errors.ts"
import { isRepoId } from "../domain/hub/repoId.ts"
import type { Part } from "../domain/hub/selection.ts"
import { Hub } from "../services/Hub.ts"
import { type ModelFolder, ModelSource, type OpenOptions } from "../services/ModelSource.ts"
import { codeOf, listFiles, readJson, readText } from "./folderFiles.ts"
import { readTensors } from "./weightFiles.ts"

const listFolder = (path: string) => Effect.promise(() => readdir(path).catch((): Array<string> => []))

const tensorsOf = (path: string) => Effect.flatMap(listFolder(path), (names) => readTensors(path, names))

const openFolder = Effect.fnUntraced(function* (model: string, path: string, part: Part) {
  const config = yield* readJson(path, "config.json")
  if (config === undefined && part === "model")
    return yield* new ModelNotFound({ model, reason: "the folder has no config.json" })
  const generationConfig = yield* readJson(path, "generation_config.json")
  return {
    path,
    config: config ?? {},
    generationConfig,
    readText: (name) => readText(path, name),
    list: (name) => listFiles(path, name),
    tensors: tensorsOf(path),
    tensorsIn: (folder) => tensorsOf(resolve(path, folder))
  } satisfies ModelFolder
})

/** Why there is no folder; undefined when there is one. */
const folderFault = (path: string) =>
  Effect.promise(() =>
    stat(path).then(
      (info) => (info.isDirectory() ? undefined : "it is no folder"),
      (cause: unknown) => (codeOf(cause) === "ENOENT" ? "no such folder" : codeOf(cause))
    )
  )

/** A model on the Hub, fetched into its cache; whatever goes wrong there, the local folder is missing too. */
const openRemote = Effect.fnUntraced(function* (hub: Hub["Type"], model: string, options: OpenOptions) {
  const { part = "model", revision } = options
  const path = yield* hub
    .snapshot({ repo: model, revision, part })
    .pipe(Effect.mapError((error) => new ModelNotFound({ ...error, reason: `no such folder, and ${error.reason}` })))
  return yield* openFolder(model, path, part)
})

const opener = (hub: Hub["Type"] | undefined) =>
  Effect.fnUntraced(function* (model: string, options: OpenOptions = {}) {
    const path = resolve(model)
    const fault = yield* folderFault(path)
    if (fault === undefined) {
      if (options.revision !== undefined)
        yield* Effect.logWarning(`${model} is a local folder: its revision ${options.revision} means nothing.`)
      return yield* openFolder(model, path, options.part ?? "model")
    }
    if (fault === "no such folder" && isRepoId(model)) {
      if (hub !== undefined) return yield* openRemote(hub, model, options)
      return yield* new ModelNotFound({ model, reason: `${fault} (this model source knows no Hub)` })
    }
    return yield* new ModelNotFound({ model, reason: fault })
  })

/** Checkpoints in local folders, as Hugging Face tools write them. */
export const make = ModelSource.of({ open: opener(undefined) })

/** Local folders only. */
export const layer: Layer.Layer<ModelSource> = Layer.succeed(ModelSource, make)

/** Local folders, and models of the Hub. */
export const layerHub: Layer.Layer<ModelSource, never, Hub> = Layer.effect(
  ModelSource,
  Effect.map(Hub, (hub) => ({ open: opener(hub) }))
)
