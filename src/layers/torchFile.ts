import type { FileHandle } from "node:fs/promises"
import * as Either from "effect/Either"
import { cutOff } from "../domain/weights/pickleReader.ts"
import type { StoredTensor } from "../domain/weights/safetensors.ts"
import { placeTensors, type TorchStorage, torchTensors } from "../domain/weights/torch.ts"
import { isOldTorch, type OldHead, oldMagicBytes, readOldHead } from "../domain/weights/torchOld.ts"
import { dataOffset, localBytes, tailBytes, type ZipEntry, zipDirectory, zipEntries } from "../domain/weights/zip.ts"
import { readAt } from "./folderFiles.ts"

/** What one file says of its tensors; left are its faults. */
export type TensorHeader = Either.Either<ReadonlyArray<StoredTensor>, ReadonlyArray<string>>

/** The file is not what torch.save writes; the message says how. */
class Damaged extends Error {}

const sound = <A>(found: Either.Either<A, string>): A => Either.getOrThrowWith(found, (fault) => new Damaged(fault))

/** No table of tensors needs more: a pickle of a thousand tensors has 100 KB. */
const mostPickleBytes = 100_000_000

/** A zip archive whose directory has been read. */
class Archive {
  constructor(
    private readonly file: FileHandle,
    private readonly size: number,
    readonly entries: ReadonlyMap<string, ZipEntry>
  ) {}

  /** Where the bytes of an entry begin. */
  async offsetOf(entry: ZipEntry): Promise<number> {
    return sound(dataOffset(entry, await readAt(this.file, entry.headerOffset, localBytes), this.size))
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const entry = this.entries.get(name)
    if (entry === undefined) return undefined
    if (entry.bytes > mostPickleBytes)
      throw new Damaged(`${name} has ${entry.bytes} bytes; at most ${mostPickleBytes} are read`)
    return readAt(this.file, await this.offsetOf(entry), entry.bytes)
  }

  /** Storages by key: the entries of `folder`, of which no bytes are read. */
  async storages(folder: string): Promise<ReadonlyMap<string, TorchStorage>> {
    const found = new Map<string, TorchStorage>()
    for (const [name, entry] of this.entries)
      if (name.startsWith(folder))
        found.set(name.slice(folder.length), { offset: await this.offsetOf(entry), bytes: entry.bytes })
    return found
  }
}

const openArchive = async (file: FileHandle, size: number): Promise<Archive> => {
  const tail = Math.min(tailBytes, size)
  const directory = sound(zipDirectory(await readAt(file, size - tail, tail), size))
  return new Archive(file, size, sound(zipEntries(await readAt(file, directory.offset, directory.bytes), size)))
}

const readArchive = async (file: FileHandle, size: number): Promise<TensorHeader> => {
  const archive = await openArchive(file, size)
  const name = [...archive.entries.keys()].find((entry) => /^[^/]+\/data\.pkl$/.test(entry))
  const pickle = name === undefined ? undefined : await archive.read(name)
  if (name === undefined || pickle === undefined) throw new Damaged("it holds no data.pkl: it is no file of torch.save")
  const prefix = name.slice(0, -"data.pkl".length)
  const order = await archive.read(`${prefix}byteorder`)
  if (order !== undefined && new TextDecoder().decode(order).trim() !== "little")
    throw new Damaged("its numbers are big-endian: convert it to safetensors")
  const storages = await archive.storages(`${prefix}data/`)
  return torchTensors(pickle, (key) => storages.get(key))
}

/** The head of an old file may be of any length: twice as much is read until it is whole. */
const readHead = async (file: FileHandle, size: number): Promise<OldHead> => {
  for (let bytes = 1 << 20; ; bytes *= 2) {
    const head = readOldHead(await readAt(file, 0, Math.min(bytes, size)))
    if (Either.isRight(head)) return head.right
    if (head.left !== cutOff || bytes >= Math.min(size, mostPickleBytes)) throw new Damaged(head.left)
  }
}

/** What torch before 1.6 wrote: pickles, then one storage behind the other. */
const readOld = async (file: FileHandle, size: number): Promise<TensorHeader> => {
  const head = await readHead(file, size)
  const found = new Map<string, TorchStorage>()
  let at = head.end
  for (const { key, itemBytes } of head.storages) {
    const prefix = await readAt(file, at, 8)
    const elements = prefix.length < 8 ? Number.NaN : Number(new DataView(prefix.buffer).getBigInt64(0, true))
    const bytes = elements * itemBytes
    if (!(bytes >= 0) || at + 8 + bytes > size)
      throw new Damaged(`its storage ${key} lies outside the file: it is truncated`)
    found.set(key, { offset: at + 8, bytes })
    at += 8 + bytes
  }
  return placeTensors(Either.right(head.table), (key) => found.get(key))
}

/** What torch.save wrote: a zip archive of one pickle that describes the tensors, and one stored entry for each storage. */
export const torchHeader = async (file: FileHandle, size: number): Promise<TensorHeader> => {
  try {
    const old = isOldTorch(await readAt(file, 0, oldMagicBytes))
    return await (old ? readOld : readArchive)(file, size)
  } catch (fault) {
    if (fault instanceof Damaged) return Either.left([fault.message])
    throw fault
  }
}
