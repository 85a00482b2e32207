import { open, readFile, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { CheckpointInvalid, ModelNotFound } from "../domain/errors.ts"
import { isRepoId } from "../domain/hub/repoId.ts"
import type { Part } from "../domain/hub/selection.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"
import { headerLength, parseHeader, prefixBytes, type StoredTensor } from "../domain/weights/safetensors.ts"
import { joinShards, parseIndex, type Shard, type ShardIndex } from "../domain/weights/shards.ts"
import { Hub } from "../services/Hub.ts"
import { type ModelFolder, ModelSource, type OpenOptions } from "../services/ModelSource.ts"

const singleFile = "model.safetensors"
const indexFile = "model.safetensors.index.json"
/** A damaged file of many tensors should not print thousands of lines. */
const maxProblems = 40

const invalid = (model: string, problems: ReadonlyArray<string>) =>
  new CheckpointInvalid({
    model,
    problems:
      problems.length <= maxProblems
        ? problems
        : [...problems.slice(0, maxProblems), `and ${problems.length - maxProblems} more`]
  })

const codeOf = (cause: unknown) =>
  cause instanceof Error && "code" in cause
    ? String(cause.code)
    : cause instanceof Error
      ? cause.message
      : String(cause)

/** A file's text, undefined when there is none. */
const readText = (folder: string, name: string): Effect.Effect<string | undefined, CheckpointInvalid> =>
  Effect.tryPromise(() => readFile(resolve(folder, name), "utf8")).pipe(
    Effect.catchAll(({ error }) =>
      codeOf(error) === "ENOENT"
        ? Effect.succeed(undefined)
        : Effect.fail(invalid(folder, [`${name} cannot be read: ${codeOf(error)}`]))
    )
  )

/** A JSON object from a file, undefined when there is none. */
const readJson = (
  folder: string,
  name: string
): Effect.Effect<Readonly<Record<string, unknown>> | undefined, CheckpointInvalid> =>
  Effect.flatMap(readText(folder, name), (text) => {
    if (text === undefined) return Effect.succeed(undefined)
    try {
      const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ""))
      if (typeof json === "object" && json !== null && !Array.isArray(json))
        return Effect.succeed(json as Readonly<Record<string, unknown>>)
      return Effect.fail(invalid(folder, [`${name} holds no JSON object`]))
    } catch (error) {
      return Effect.fail(invalid(folder, [`${name} is not JSON: ${error instanceof Error ? error.message : error}`]))
    }
  })

/** Reads one file's header, never its data; left are the faults found, each naming the file. */
const readHeader = async (
  path: string,
  name: string
): Promise<Either.Either<ReadonlyArray<StoredTensor>, ReadonlyArray<string>>> => {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      const prefix = new Uint8Array(prefixBytes)
      const { bytesRead } = await file.read(prefix, 0, prefixBytes, 0)
      const length = headerLength(prefix.subarray(0, bytesRead), size)
      if (Either.isLeft(length)) return Either.left([`${name}: ${length.left}`])
      const header = new Uint8Array(length.right)
      await file.read(header, 0, header.byteLength, prefixBytes)
      return Either.mapLeft(parseHeader(header, size), (problems) => problems.map((problem) => `${name}: ${problem}`))
    } finally {
      await file.close()
    }
  } catch (error) {
    const code = codeOf(error)
    return Either.left([code === "ENOENT" ? `the file ${name} is missing` : `${name} cannot be read: ${code}`])
  }
}

const readShards = (folder: string, names: ReadonlyArray<string>, index?: ShardIndex) =>
  Effect.flatMap(
    Effect.promise(() => Promise.all(names.map((name) => readHeader(join(folder, name), name)))),
    (headers): Effect.Effect<CheckpointTensors, CheckpointInvalid> => {
      const problems = headers.flatMap((header) => (Either.isLeft(header) ? header.left : []))
      if (problems.length > 0) return Effect.fail(invalid(folder, problems))
      const shards = headers.flatMap((header, at): Array<Shard> => {
        const name = names[at] ?? ""
        return Either.isRight(header) ? [{ name, path: join(folder, name), tensors: header.right }] : []
      })
      return Effect.mapError(joinShards(shards, index), (faults) => invalid(folder, faults))
    }
  )

const exists = (path: string) =>
  Effect.promise(() =>
    stat(path).then(
      () => true,
      () => false
    )
  )

const readTensors = Effect.fnUntraced(function* (folder: string) {
  if (yield* exists(join(folder, singleFile))) return yield* readShards(folder, [singleFile])
  const json = yield* readJson(folder, indexFile)
  if (json === undefined)
    return yield* invalid(folder, [
      `it holds neither ${singleFile} nor ${indexFile}; other weight formats are not read, so convert it to safetensors`
    ])
  const index = yield* Effect.mapError(parseIndex(json), (problems) => invalid(folder, problems))
  return yield* readShards(folder, index.files, index)
})

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
    tensors: readTensors(path)
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
