import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { CheckpointInvalid } from "../domain/errors.ts"
import { isWeightIndex, weightEntry } from "../domain/hub/selection.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"
import { headerLength, parseHeader, prefixBytes } from "../domain/weights/safetensors.ts"
import { joinShards, parseIndex, type Shard, type ShardIndex } from "../domain/weights/shards.ts"
import { codeOf, invalid, readAt, readJson } from "./folderFiles.ts"
import { type TensorHeader, torchHeader } from "./torchFile.ts"

const safetensorsHeader = async (file: FileHandle, size: number): Promise<TensorHeader> => {
  const length = headerLength(await readAt(file, 0, prefixBytes), size)
  if (Either.isLeft(length)) return Either.left([length.left])
  return parseHeader(await readAt(file, prefixBytes, length.right), size)
}

/** Reads what describes one file's tensors, never the tensors; left are the faults found, each naming the file. */
const readHeader = async (path: string, name: string): Promise<TensorHeader> => {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      const header = await (name.endsWith(".bin") ? torchHeader : safetensorsHeader)(file, size)
      return Either.mapLeft(header, (problems) => problems.map((problem) => `${name}: ${problem}`))
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

/** The tensors of a checkpoint's folder: safetensors before pytorch_model.bin, one file before shards. */
export const readTensors = Effect.fnUntraced(function* (folder: string, names: ReadonlyArray<string>) {
  const entry = weightEntry(names)
  if (entry === undefined)
    return yield* invalid(folder, [
      "it holds neither model.safetensors nor model.safetensors.index.json, nor pytorch_model.bin with or without index; other weight formats are not read, so convert it to safetensors"
    ])
  if (!isWeightIndex(entry)) return yield* readShards(folder, [entry])
  const json = yield* readJson(folder, entry)
  const index = yield* Effect.mapError(parseIndex(entry, json), (problems) => invalid(folder, problems))
  return yield* readShards(folder, index.files, index)
})
