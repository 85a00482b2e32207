import * as Either from "effect/Either"
import { unpickle } from "./pickle.ts"
import { Global, type Pickled, type PickleHost } from "./pickleMachine.ts"
import type { StoredTensor } from "./safetensors.ts"

/** Bytes of one storage: an entry `data/KEY` of the archive. */
export interface TorchStorage {
  readonly offset: number
  readonly bytes: number
}

/** Element type, as safetensors spells it, and its bytes, by the storage class that a pickle names. */
const storages: Readonly<Record<string, readonly [dtype: string, bytes: number]>> = {
  FloatStorage: ["F32", 4],
  HalfStorage: ["F16", 2],
  BFloat16Storage: ["BF16", 2],
  DoubleStorage: ["F64", 8],
  LongStorage: ["I64", 8],
  IntStorage: ["I32", 4],
  ShortStorage: ["I16", 2],
  CharStorage: ["I8", 1],
  ByteStorage: ["U8", 1],
  BoolStorage: ["BOOL", 1]
}

export class StorageRef {
  constructor(
    readonly key: string,
    readonly dtype: string,
    readonly itemBytes: number
  ) {}
}

export class Tensor {
  constructor(
    readonly storage: StorageRef,
    /** Elements. */
    readonly start: number,
    readonly shape: ReadonlyArray<number>,
    readonly strides: ReadonlyArray<number>
  ) {}
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isCounts = (value: unknown): value is ReadonlyArray<number> => Array.isArray(value) && value.every(isCount)

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)` */
const rebuildTensor = (args: ReadonlyArray<Pickled>): Tensor => {
  const [storage, start, shape, strides] = args
  if (
    !(storage instanceof StorageRef) ||
    !isCount(start) ||
    !isCounts(shape) ||
    !isCounts(strides) ||
    shape.length !== strides.length
  )
    throw new Error("it describes a tensor by something other than storage, offset, size and stride")
  return new Tensor(storage, start, shape, strides)
}

/** All that a table of tensors needs; anything else could be anything. */
const calls: Readonly<Record<string, (args: ReadonlyArray<Pickled>) => Pickled>> = {
  "collections.OrderedDict": (args) => {
    if (args.length > 0) throw new Error("it makes an OrderedDict of arguments")
    return new Map()
  },
  "torch._utils._rebuild_tensor_v2": rebuildTensor,
  "torch._utils._rebuild_tensor": rebuildTensor,
  "torch._utils._rebuild_parameter": ([tensor]) => tensor,
  "torch.Size": ([sizes]) => sizes
}

/** Reads storages as references; `onStorage` hears of each. */
export const torchHost = (onStorage?: (storage: StorageRef) => void): PickleHost => ({
  call: (callee, args) => {
    const known = Object.hasOwn(calls, callee.text) ? calls[callee.text] : undefined
    if (known === undefined)
      throw new Error(
        `it calls ${callee.text}, which no table of tensors needs and which is not run: convert it to safetensors`
      )
    return known(args)
  },
  persistent: (id) => {
    const [kind, type, key, , , view] = Array.isArray(id) ? id : []
    const known = type instanceof Global && type.module === "torch" ? storages[type.name] : undefined
    if (kind !== "storage" || known === undefined || typeof key !== "string")
      throw new Error(
        `it refers to ${type instanceof Global ? type.text : "something"}, which is no storage of a known type`
      )
    if (view !== undefined && view !== null)
      throw new Error(`its storage ${key} is a view of another: convert it to safetensors`)
    const storage = new StorageRef(key, ...known)
    onStorage?.(storage)
    return storage
  }
})

/** Tensors by name: those of the table, or of the table under `state_dict` that trainers write. What is no tensor is passed over. */
const tableOf = (root: Pickled): Either.Either<ReadonlyArray<readonly [string, Tensor]>, string> => {
  if (!(root instanceof Map)) return Either.left("it holds no table of tensors by name")
  const tensors = [...root].filter(
    (entry): entry is [string, Tensor] => typeof entry[0] === "string" && entry[1] instanceof Tensor
  )
  if (tensors.length > 0) return Either.right(tensors)
  const inner: Pickled = root.get("state_dict")
  return inner instanceof Map && !inner.has("state_dict") ? tableOf(inner) : Either.left("it holds no tensors")
}

/** Row-major without gaps; an axis of one element has no stride to speak of. */
const isContiguous = ({ shape, strides }: Tensor): boolean => {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}

const place = (
  name: string,
  tensor: Tensor,
  storageOf: (key: string) => TorchStorage | undefined
): StoredTensor | string => {
  const { storage, start, shape } = tensor
  const held = storageOf(storage.key)
  if (held === undefined) return `the tensor ${name} lies in data/${storage.key}, which the file lacks`
  const elements = shape.reduce((product, extent) => product * extent, 1)
  if (elements > 0 && !isContiguous(tensor))
    return `the tensor ${name} of ${JSON.stringify(shape)} is stored with the strides ${JSON.stringify(tensor.strides)}: save it with .contiguous(), or convert it to safetensors`
  const bytes = elements * storage.itemBytes
  const from = start * storage.itemBytes
  if (!Number.isSafeInteger(from + bytes) || from + bytes > held.bytes)
    return `the tensor ${name} reaches to byte ${from + bytes} of its storage, which has ${held.bytes}`
  return { name, dtype: storage.dtype, shape, offset: held.offset + from, bytes }
}

/**
 * The tensors of a table that has been unpickled, sorted by offset; or everything wrong with them. Tensors may share
 * bytes: tied weights do.
 */
export const placeTensors = (
  root: Either.Either<Pickled, string>,
  storageOf: (key: string) => TorchStorage | undefined
): Either.Either<ReadonlyArray<StoredTensor>, ReadonlyArray<string>> => {
  const table = Either.flatMap(root, tableOf)
  if (Either.isLeft(table)) return Either.left([`its pickle cannot be read: ${table.left}`])
  const placed = table.right.map(([name, tensor]) => place(name, tensor, storageOf))
  const problems = placed.filter((tensor) => typeof tensor === "string")
  if (problems.length > 0) return Either.left(problems)
  const tensors = placed.filter((tensor): tensor is StoredTensor => typeof tensor !== "string")
  return Either.right(tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes))
}

/** The tensors that a `data.pkl` describes. */
export const torchTensors = (
  pickle: Uint8Array,
  storageOf: (key: string) => TorchStorage | undefined
): Either.Either<ReadonlyArray<StoredTensor>, ReadonlyArray<string>> =>
  placeTensors(unpickle(pickle, torchHost()), storageOf)
