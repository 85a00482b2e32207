import * as Either from "effect/Either"
import type { TensorLocation } from "./checkpoint.ts"
import { duplicateKeys } from "./duplicateKeys.ts"

/** A tensor as the header of one file states it; `offset` counts from the start of the file. */
export type StoredTensor = Omit<TensorLocation, "file">

/** The largest JSON header we read; the format's own reference sets the same limit. */
export const maxHeaderBytes = 100_000_000

/** What a file starts with: the length of its JSON header as an unsigned 64-bit little-endian number. */
export const prefixBytes = 8

const bitsOf: Readonly<Record<string, number>> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64
}

/** The length of the JSON header of a file of `fileBytes` bytes, from its first bytes; or why it cannot be. */
export const headerLength = (prefix: Uint8Array, fileBytes: number): Either.Either<number, string> => {
  if (prefix.byteLength < prefixBytes)
    return Either.left(
      `it has ${fileBytes} bytes; a safetensors file starts with ${prefixBytes} bytes of header length`
    )
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true)
  if (length > BigInt(maxHeaderBytes))
    return Either.left(
      `its header claims ${length} bytes; at most ${maxHeaderBytes} are read. It is damaged, or no safetensors file`
    )
  if (Number(length) > fileBytes - prefixBytes)
    return Either.left(
      `its header claims ${length} bytes, but the file ends after ${fileBytes - prefixBytes}: it is truncated, or no safetensors file`
    )
  return Either.right(Number(length))
}

/**
 * The tensors that a header describes, sorted by offset; or everything wrong with it, each as a sentence.
 * `header` holds the JSON alone; `fileBytes` is the length of the whole file.
 */
export const parseHeader = (
  header: Uint8Array,
  fileBytes: number
): Either.Either<ReadonlyArray<StoredTensor>, ReadonlyArray<string>> => {
  let text: string
  let json: unknown
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header)
    json = JSON.parse(text)
  } catch (error) {
    return Either.left([`its header is not JSON: ${error instanceof Error ? error.message : String(error)}`])
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return Either.left(["its header is not a JSON object of tensors"])
  const problems = duplicateKeys(text).map((name) => `the tensor ${name} is described twice`)
  const start = prefixBytes + header.byteLength
  const tensors: Array<StoredTensor> = []
  for (const [name, entry] of Object.entries(json)) {
    if (name === "__metadata__") continue
    const tensor = parseEntry(name, entry, start)
    if (typeof tensor === "string") problems.push(tensor)
    else tensors.push(tensor)
  }
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)
  // Only what is well formed can be laid out; a malformed entry would show up again as a hole.
  if (problems.length === 0) problems.push(...layoutProblems(tensors, start, fileBytes))
  return problems.length === 0 ? Either.right(tensors) : Either.left(problems)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const parseEntry = (name: string, entry: unknown, start: number): StoredTensor | string => {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry))
    return `the tensor ${name} is described by ${JSON.stringify(entry)}, not by dtype, shape and data_offsets`
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>
  if (typeof dtype !== "string" || !Object.hasOwn(bitsOf, dtype))
    return `the tensor ${name} has the dtype ${JSON.stringify(dtype)}; known are ${Object.keys(bitsOf).join(", ")}`
  if (!Array.isArray(shape) || !shape.every(isCount))
    return `the tensor ${name} has the shape ${JSON.stringify(shape)}; expected a list of whole numbers`
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1])
    return `the tensor ${name} has the data_offsets ${JSON.stringify(offsets)}; expected [begin, end] with begin <= end`
  const bytes = offsets[1] - offsets[0]
  const expected = (shape.reduce((product: number, extent: number) => product * extent, 1) * (bitsOf[dtype] ?? 0)) / 8
  if (bytes !== expected)
    return `the tensor ${name} spans ${bytes} bytes; ${dtype} ${JSON.stringify(shape)} needs ${expected}`
  return { name, dtype, shape, offset: start + offsets[0], bytes }
}

/** The format promises that tensors lie one behind the other and fill the file. */
const layoutProblems = (sorted: ReadonlyArray<StoredTensor>, start: number, fileBytes: number): Array<string> => {
  const problems: Array<string> = []
  let end = start
  let previous = "the header"
  for (const tensor of sorted) {
    if (tensor.offset < end)
      problems.push(`the tensor ${tensor.name} overlaps ${previous} by ${end - tensor.offset} bytes`)
    else if (tensor.offset > end)
      problems.push(
        `${tensor.offset - end} bytes between ${previous} and the tensor ${tensor.name} belong to no tensor`
      )
    if (tensor.offset + tensor.bytes > fileBytes)
      problems.push(
        `the tensor ${tensor.name} ends at byte ${tensor.offset + tensor.bytes}, the file at ${fileBytes}: the file is truncated, or its offsets are wrong`
      )
    end = Math.max(end, tensor.offset + tensor.bytes)
    previous = tensor.name
  }
  if (end < fileBytes) problems.push(`${fileBytes - end} bytes at the end of the file belong to no tensor`)
  return problems
}
