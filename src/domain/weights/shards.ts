import * as Either from "effect/Either"
import type { CheckpointTensors, TensorLocation } from "./checkpoint.ts"
import type { StoredTensor } from "./safetensors.ts"

/** The `weight_map` of an index such as model.safetensors.index.json: which file of the folder holds which tensor. */
export interface ShardIndex {
  /** Of the index file, for messages. */
  readonly name: string
  readonly files: ReadonlyArray<string>
  readonly fileOf: ReadonlyMap<string, string>
}

/** A plain file name of the same folder. Anything else could reach outside the checkpoint. */
const isPlainName = (name: string) =>
  name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\\") && !name.includes("\0")

/** Parses an index file's JSON; or everything wrong with it, each as a sentence. */
export const parseIndex = (name: string, json: unknown): Either.Either<ShardIndex, ReadonlyArray<string>> => {
  const map = typeof json === "object" && json !== null ? (json as Record<string, unknown>).weight_map : undefined
  if (typeof map !== "object" || map === null || Array.isArray(map))
    return Either.left([`${name} has no weight_map of tensor names to file names`])
  const problems: Array<string> = []
  const fileOf = new Map<string, string>()
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string" || !isPlainName(file))
      problems.push(
        `${name} puts ${tensor} into ${JSON.stringify(file)}; expected the plain name of a file of this folder`
      )
    else fileOf.set(tensor, file)
  }
  if (problems.length === 0 && fileOf.size === 0) problems.push(`the weight_map of ${name} is empty`)
  if (problems.length > 0) return Either.left(problems)
  return Either.right({ name, files: [...new Set(fileOf.values())].sort(), fileOf })
}

/** One file whose header has been read. `path` is what the backend opens, `name` what the index calls it. */
export interface Shard {
  readonly name: string
  readonly path: string
  readonly tensors: ReadonlyArray<StoredTensor>
}

/**
 * Joins the files' tensors into one table. With an index, every tensor must lie where it says; a tensor that the index
 * does not name is kept, so that the loader can judge it with the others.
 */
export const joinShards = (
  shards: ReadonlyArray<Shard>,
  index?: ShardIndex
): Either.Either<CheckpointTensors, ReadonlyArray<string>> => {
  const problems: Array<string> = []
  const tensors = new Map<string, TensorLocation>()
  const holders = new Map<string, string>()
  shards.forEach((shard, file) => {
    for (const tensor of shard.tensors) {
      const held = holders.get(tensor.name)
      if (held !== undefined)
        problems.push(`the tensor ${tensor.name} is stored twice: in ${held} and in ${shard.name}`)
      holders.set(tensor.name, shard.name)
      tensors.set(tensor.name, { ...tensor, file })
    }
  })
  for (const [name, file] of index?.fileOf ?? []) {
    const holder = holders.get(name)
    if (holder === file) continue
    problems.push(
      `${index?.name} puts ${name} into ${file}, but ${holder === undefined ? "no file holds it" : `${holder} holds it`}`
    )
  }
  return problems.length > 0
    ? Either.left(problems)
    : Either.right({ files: shards.map((shard) => shard.path), tensors })
}
