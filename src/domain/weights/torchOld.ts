import * as Either from "effect/Either"
import { unpickleAll } from "./pickle.ts"
import type { Pickled } from "./pickleMachine.ts"
import { torchHost } from "./torch.ts"

/** How files of torch before 1.6 begin: a pickle of a great number. */
const magic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]
export const oldMagicBytes = magic.length

export const isOldTorch = (start: Uint8Array): boolean => magic.every((byte, at) => byte === start[at])

/** The five pickles at the beginning of an old file: magic, version, machine, the table, and the storages' keys. */
const pickles = 5

export interface OldHead {
  readonly table: Pickled
  /** The storages in their order, each a count of elements as 64 bits and then the elements, from `end` on. */
  readonly storages: ReadonlyArray<{ readonly key: string; readonly itemBytes: number }>
  readonly end: number
}

/** Reads the beginning of an old file; left says what is wrong, `cutOff` where `bytes` hold too little of it. */
export const readOldHead = (bytes: Uint8Array): Either.Either<OldHead, string> => {
  const itemBytes = new Map<string, number>()
  const host = torchHost((storage) => itemBytes.set(storage.key, storage.itemBytes))
  return Either.flatMap(unpickleAll(bytes, host, pickles), ({ values, end }) => {
    const [, version, machine, table, keys] = values
    if (version !== 1001) return Either.left("it is of a version that torch never wrote")
    if (!(machine instanceof Map) || machine.get("little_endian") !== true)
      return Either.left("its numbers are big-endian: convert it to safetensors")
    if (!Array.isArray(keys)) return Either.left("it lists no storages")
    const storages = keys.map((key: unknown) => ({ key: String(key), itemBytes: itemBytes.get(key as string) ?? 0 }))
    return storages.every((storage) => storage.itemBytes > 0)
      ? Either.right({ table, storages, end })
      : Either.left("it lists a storage that no tensor names")
  })
}
