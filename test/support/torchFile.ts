import { crc32 } from "node:zlib"
import type { TensorData } from "./checkpoints.ts"

const storageOf: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  F32: ["FloatStorage", 4],
  F16: ["HalfStorage", 2],
  BF16: ["BFloat16Storage", 2],
  I64: ["LongStorage", 8]
}

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer)
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)

/** Pieces of a pickle of protocol 2, as torch's pickler writes them. */
export const op = {
  proto: Buffer.from([0x80, 2]),
  stop: Buffer.from("."),
  mark: Buffer.from("("),
  dict: Buffer.from("}"),
  tuple: Buffer.from("t"),
  emptyTuple: Buffer.from(")"),
  reduce: Buffer.from("R"),
  persistent: Buffer.from("Q"),
  setItems: Buffer.from("u"),
  no: Buffer.from([0x89]),
  text: (text: string) => Buffer.concat([Buffer.from("X"), u32(Buffer.byteLength(text)), Buffer.from(text)]),
  int: (value: number) =>
    value < 2 ** 31
      ? Buffer.concat([Buffer.from("J"), u32(value)])
      : Buffer.concat([Buffer.from([0x8a, 8]), u64(value)]),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  put: (index: number) => Buffer.from([0x71, index]),
  get: (index: number) => Buffer.from([0x68, index])
}

const ints = (values: ReadonlyArray<number>) => Buffer.concat([op.mark, ...values.map(op.int), op.tuple])
const contiguous = (shape: ReadonlyArray<number>) =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1))
const orderedDict = Buffer.concat([op.global("collections", "OrderedDict"), op.emptyTuple, op.reduce])

/** One tensor of a `.bin`: its bytes lie in the storage of this key, `start` elements in. */
export interface TorchEntry extends Pick<TensorData, "name" | "dtype" | "shape"> {
  readonly key: string
  readonly elements: number
  readonly start?: number
  readonly strides?: ReadonlyArray<number>
  readonly parameter?: boolean
}

const none = Buffer.from("N")

const pickledTensor = (entry: TorchEntry, old = false) => {
  const { dtype, shape, key, elements, start = 0, strides = contiguous(shape) } = entry
  const storage = Buffer.concat([
    op.mark,
    op.text("storage"),
    op.global("torch", storageOf[dtype]![0]),
    op.text(key),
    op.text("cpu"),
    op.int(elements),
    ...(old ? [none] : []),
    op.tuple,
    op.persistent
  ])
  const rest = [op.int(start), ints(shape), ints(strides), op.no, orderedDict]
  const tensor = Buffer.concat([
    op.global("torch._utils", "_rebuild_tensor_v2"),
    op.mark,
    storage,
    ...rest,
    op.tuple,
    op.reduce
  ])
  if (entry.parameter !== true) return tensor
  return Buffer.concat([
    op.global("torch._utils", "_rebuild_parameter"),
    op.mark,
    tensor,
    op.no,
    orderedDict,
    op.tuple,
    op.reduce
  ])
}

/** `data.pkl` of a table of tensors, with the attribute that state_dict() sets on its OrderedDict. */
export const pickleOf = (entries: ReadonlyArray<TorchEntry>, old = false): Buffer =>
  Buffer.concat([
    op.proto,
    orderedDict,
    op.put(0),
    op.mark,
    ...entries.flatMap((entry) => [op.text(entry.name), pickledTensor(entry, old)]),
    op.setItems,
    op.dict,
    op.mark,
    op.text("_metadata"),
    orderedDict,
    op.setItems,
    Buffer.from("b"),
    op.stop
  ])

export interface ZipOptions {
  /** Write sizes and places as zip64, whatever they are. */
  readonly zip64?: boolean
  /** Compression method of the directory's entries. */
  readonly method?: number
  readonly comment?: string
}

const localHeader = (name: Buffer, data: Uint8Array, at: number) => {
  // torch pads with an extra field so that data begin at a multiple of 64.
  const unpadded = at + 30 + name.length + 4
  const padding = (64 - (unpadded % 64)) % 64
  const extra = Buffer.concat([Buffer.from("FB"), u16(padding), Buffer.alloc(padding, "Z")])
  const sizes = [u32(crc32(data)), u32(data.length), u32(data.length)]
  const start = Buffer.concat([
    u32(0x04034b50),
    u16(0),
    u16(0),
    u16(0),
    u32(0),
    ...sizes,
    u16(name.length),
    u16(extra.length)
  ])
  return Buffer.concat([start, name, extra])
}

/** A zip archive of stored files, laid out as torch.save does. */
export const zipOf = (
  files: Readonly<Record<string, Uint8Array>>,
  { zip64 = false, method = 0, comment = "" }: ZipOptions = {}
): Buffer => {
  const parts: Array<Uint8Array> = []
  const directory: Array<Uint8Array> = []
  let at = 0
  for (const [text, data] of Object.entries(files)) {
    const name = Buffer.from(text)
    const header = localHeader(name, data, at)
    const extra = zip64
      ? Buffer.concat([u16(1), u16(24), u64(data.length), u64(data.length), u64(at)])
      : Buffer.alloc(0)
    const place = zip64 ? [u32(0xffffffff), u32(0xffffffff)] : [u32(data.length), u32(data.length)]
    const rest = [u16(name.length), u16(extra.length), u16(0), u16(0), u16(0), u32(0), u32(zip64 ? 0xffffffff : at)]
    directory.push(
      u32(0x02014b50),
      u16(0),
      u16(0),
      u16(0),
      u16(method),
      u32(0),
      u32(crc32(data)),
      ...place,
      ...rest,
      name,
      extra
    )
    parts.push(header, data)
    at += header.length + data.length
  }
  const listing = Buffer.concat(directory)
  const count = Object.keys(files).length
  const end64 = [
    u32(0x06064b50),
    u64(44),
    u16(45),
    u16(45),
    u32(0),
    u32(0),
    u64(count),
    u64(count),
    u64(listing.length),
    u64(at)
  ]
  const locator = [u32(0x07064b50), u32(0), u64(at + listing.length), u32(1)]
  const end = [
    u32(0x06054b50),
    u16(0),
    u16(0),
    u16(count),
    u16(count),
    u32(listing.length),
    u32(zip64 ? 0xffffffff : at)
  ]
  const tail = [u16(comment.length), Buffer.from(comment)]
  return Buffer.concat([...parts, listing, ...(zip64 ? [...end64, ...locator] : []), ...end, ...tail])
}

/** A `.bin` of the given pickle and storages by key. */
export const torchZip = (
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>>,
  options?: ZipOptions
): Buffer =>
  zipOf(
    {
      "archive/data.pkl": pickle,
      "archive/byteorder": Buffer.from("little"),
      ...Object.fromEntries(Object.entries(storages).map(([key, data]) => [`archive/data/${key}`, data])),
      "archive/version": Buffer.from("3\n")
    },
    options
  )

const entriesOf = (tensors: ReadonlyArray<TensorData>, stored: ReadonlyArray<Uint8Array>): ReadonlyArray<TorchEntry> =>
  tensors.map(({ name, dtype, shape, data }, at) => ({
    name,
    dtype,
    shape,
    key: String(stored.indexOf(data)),
    elements: data.length / storageOf[dtype]![1],
    parameter: at % 2 === 1
  }))

/** The same tensors as a safetensors file holds, as torch.save would write them: those of the same `data` share a storage. */
export const torchFile = (tensors: ReadonlyArray<TensorData>, options?: ZipOptions): Buffer => {
  const stored = [...new Set(tensors.map(({ data }) => data))]
  const storages = Object.fromEntries(stored.map((data, key) => [key, data]))
  return torchZip(pickleOf(entriesOf(tensors, stored)), storages, options)
}

/** The same as torch before 1.6 wrote them. */
export const oldTorchFile = (tensors: ReadonlyArray<TensorData>): Buffer => {
  const stored = [...new Set(tensors.map(({ data }) => data))]
  const entries = entriesOf(tensors, stored)
  const magic = Buffer.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])
  const machine = [op.proto, op.dict, op.mark, op.text("little_endian"), Buffer.from([0x88]), op.setItems, op.stop]
  const keys = stored.map((_, key) => op.text(String(key)))
  const storages = stored.flatMap((data, key) => {
    const { elements } = entries.find((entry) => entry.key === String(key))!
    return [u64(elements), data]
  })
  const list = [op.proto, Buffer.from("]"), op.mark, ...keys, Buffer.from("e"), op.stop]
  const version = [op.proto, op.int(1001), op.stop]
  return Buffer.concat([magic, op.stop, ...version, ...machine, pickleOf(entries, true), ...list, ...storages])
}
