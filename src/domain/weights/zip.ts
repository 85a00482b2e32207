import * as Either from "effect/Either"

/** One stored file of a zip archive, as its central directory states it. */
export interface ZipEntry {
  readonly name: string
  /** Of the entry's local header, from the start of the file. */
  readonly headerOffset: number
  readonly bytes: number
}

/** Where the central directory lies. */
export interface ZipDirectory {
  readonly offset: number
  readonly bytes: number
  readonly entries: number
}

const endSignature = 0x06054b50
const end64Signature = 0x06064b50
const locatorSignature = 0x07064b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50

const endBytes = 22
const locatorBytes = 20
const end64Bytes = 56
const entryBytes = 46
export const localBytes = 30
/** The end record may be followed by a comment of 65,535 bytes, and comes after zip64's own end record and locator. */
export const tailBytes = endBytes + 65_535 + locatorBytes + end64Bytes
/** A directory of a million tensors would be no checkpoint. */
const mostDirectoryBytes = 100_000_000

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A 64-bit number as a number that is exact; undefined when it is too great to be a place in a file. */
const int64 = (view: DataView, at: number): number | undefined => {
  const value = view.getBigUint64(at, true)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}

const inside = (directory: ZipDirectory, fileBytes: number): Either.Either<ZipDirectory, string> =>
  directory.bytes > mostDirectoryBytes
    ? Either.left(`its directory claims ${directory.bytes} bytes; at most ${mostDirectoryBytes} are read`)
    : directory.offset + directory.bytes <= fileBytes
      ? Either.right(directory)
      : Either.left("its directory lies outside the file: it is truncated, or no zip archive")

/** Finds the directory by the archive's last bytes, `tail`, of a file of `fileBytes`. */
export const zipDirectory = (tail: Uint8Array, fileBytes: number): Either.Either<ZipDirectory, string> => {
  const view = viewOf(tail)
  let end = tail.length - endBytes
  // The comment's length must reach the end of the file, else the signature is part of the comment.
  while (
    end >= 0 &&
    !(view.getUint32(end, true) === endSignature && end + endBytes + view.getUint16(end + 20, true) === tail.length)
  )
    end--
  if (end < 0) return Either.left("it ends without a zip directory: it is truncated, or no zip archive")
  const small = {
    entries: view.getUint16(end + 10, true),
    bytes: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true)
  }
  const locator = end - locatorBytes
  if (locator < 0 || view.getUint32(locator, true) !== locatorSignature) return inside(small, fileBytes)
  const end64 = (int64(view, locator + 8) ?? -1) - (fileBytes - tail.length)
  if (end64 < 0 || end64 + end64Bytes > locator || view.getUint32(end64, true) !== end64Signature)
    return Either.left("its zip64 locator points to no directory")
  const [entries, bytes, offset] = [32, 40, 48].map((at) => int64(view, end64 + at))
  if (entries === undefined || bytes === undefined || offset === undefined)
    return Either.left("its zip64 directory claims a place beyond any file")
  return inside({ entries, bytes, offset }, fileBytes)
}

/** Sizes and offset that did not fit into 32 bits stand in the extra field 1, in this order, and only those. */
const zip64Fields = (extra: DataView, packed: number, size: number, offset: number) => {
  const saturated = 0xffffffff
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true)
    if (extra.getUint16(at, true) === 1 && at + 4 + length <= extra.byteLength) {
      let next = at + 4
      const take = (value: number) => {
        if (value !== saturated) return value
        if (next + 8 > at + 4 + length) return undefined
        next += 8
        return int64(extra, next - 8)
      }
      const bytes = take(size)
      return { bytes, packed: take(packed), offset: take(offset) }
    }
    at += 4 + length
  }
  return { bytes: size, packed, offset }
}

/** The archive's files; left is the first thing wrong. Compressed or encrypted ones cannot be mapped, and are refused. */
export const zipEntries = (
  directory: Uint8Array,
  fileBytes: number
): Either.Either<ReadonlyMap<string, ZipEntry>, string> => {
  const view = viewOf(directory)
  const decoder = new TextDecoder()
  const entries = new Map<string, ZipEntry>()
  for (let at = 0; at < directory.length; ) {
    if (at + entryBytes > directory.length || view.getUint32(at, true) !== entrySignature)
      return Either.left("its zip directory is damaged")
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number
    ]
    const next = at + entryBytes + nameBytes + extraBytes + commentBytes
    if (next > directory.length) return Either.left("its zip directory is cut off")
    const name = decoder.decode(directory.subarray(at + entryBytes, at + entryBytes + nameBytes))
    const extra = viewOf(directory.subarray(at + entryBytes + nameBytes, at + entryBytes + nameBytes + extraBytes))
    const fields = zip64Fields(
      extra,
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
      view.getUint32(at + 42, true)
    )
    const { bytes, packed, offset } = fields
    if ((view.getUint16(at + 8, true) & 1) !== 0) return Either.left(`${name} is encrypted`)
    if (view.getUint16(at + 10, true) !== 0 || bytes !== packed)
      return Either.left(`${name} is compressed; torch.save stores its files as they are`)
    if (bytes === undefined || offset === undefined || offset + localBytes + bytes > fileBytes)
      return Either.left(`${name} lies outside the file: it is truncated, or damaged`)
    if (entries.has(name)) return Either.left(`${name} is there twice`)
    entries.set(name, { name, headerOffset: offset, bytes })
    at = next
  }
  return Either.right(entries)
}

/** Where an entry's bytes begin, from its local header, whose own extra field pads them to an alignment. */
export const dataOffset = (entry: ZipEntry, header: Uint8Array, fileBytes: number): Either.Either<number, string> => {
  const view = viewOf(header)
  if (header.length < localBytes || view.getUint32(0, true) !== localSignature)
    return Either.left(`${entry.name} has no header where the directory says`)
  const offset = entry.headerOffset + localBytes + view.getUint16(26, true) + view.getUint16(28, true)
  return offset + entry.bytes <= fileBytes
    ? Either.right(offset)
    : Either.left(`${entry.name} lies outside the file: it is truncated, or damaged`)
}
