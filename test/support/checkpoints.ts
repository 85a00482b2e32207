import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { roundToBfloat16Bits, roundToFloat16Bits } from "./halves.ts"

/** A tensor to be written; `data` are its bytes. */
export interface TensorData {
  readonly name: string
  readonly dtype: string
  readonly shape: ReadonlyArray<number>
  readonly data: Uint8Array
}

const folders: Array<string> = []
// Vitest ends its workers without an exit event.
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone when the test file has run. */
export const tempFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-"))
  folders.push(folder)
  return folder
}

/** A safetensors file of any header, well formed or not. `length` is what the prefix claims. */
export const rawSafetensors = (header: string | Uint8Array, data = new Uint8Array(0), length?: bigint): Uint8Array => {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header
  const file = new Uint8Array(8 + text.length + data.length)
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  file.set(text, 8)
  file.set(data, 8 + text.length)
  return file
}

/** A well-formed safetensors file. */
export const safetensors = (tensors: ReadonlyArray<TensorData>): Uint8Array => {
  let end = 0
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } }
  for (const { name, dtype, shape, data } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + data.length] }
    end += data.length
  }
  const json = JSON.stringify(header)
  // Padded to 8 bytes, as the format's writers do, so that tensors are aligned in the mapping.
  return rawSafetensors(json.padEnd(Math.ceil(json.length / 8) * 8), Buffer.concat(tensors.map(({ data }) => data)))
}

/** The tensors of a well-formed file, in the order of its header. */
export const readSafetensors = (path: string): Array<TensorData> => {
  const file = readFileSync(path)
  const start = 8 + Number(file.readBigUInt64LE(0))
  const header: Record<string, { dtype: string; shape: Array<number>; data_offsets: [number, number] }> = JSON.parse(
    file.toString("utf8", 8, start)
  )
  return Object.entries(header).flatMap(([name, entry]) => {
    if (name === "__metadata__") return []
    const [begin, end] = entry.data_offsets
    return [{ name, dtype: entry.dtype, shape: entry.shape, data: file.subarray(start + begin, start + end) }]
  })
}

/** A float32 tensor's values rounded to nearest, ties to even; other dtypes are left as they are. */
export const convertTensor = (tensor: TensorData, dtype: "F16" | "BF16"): TensorData => {
  if (tensor.dtype !== "F32") return tensor
  const values = new Float32Array(new Uint8Array(tensor.data).buffer)
  const round = dtype === "F16" ? roundToFloat16Bits : roundToBfloat16Bits
  return { ...tensor, dtype, data: new Uint8Array(Uint16Array.from(values, round).buffer) }
}

/** Copies a checkpoint's folder without its weights. */
const copyRest = (from: string): string => {
  const folder = tempFolder()
  for (const name of readdirSync(from))
    if (!name.includes(".safetensors")) cpSync(join(from, name), join(folder, name), { recursive: true })
  return folder
}

/** A copy of a single-file checkpoint whose float32 weights are stored as `dtype`, named so in config.json. */
export const convertedCheckpoint = (from: string, dtype: "F16" | "BF16"): string => {
  const folder = copyRest(from)
  const tensors = readSafetensors(join(from, "model.safetensors")).map((tensor) => convertTensor(tensor, dtype))
  writeFileSync(join(folder, "model.safetensors"), safetensors(tensors))
  const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))
  const named = dtype === "F16" ? "float16" : "bfloat16"
  config["dtype" in config ? "dtype" : "torch_dtype"] = named
  writeFileSync(join(folder, "config.json"), JSON.stringify(config))
  return folder
}

/** A copy of a single-file checkpoint with other tensors. */
export const changedCheckpoint = (
  from: string,
  change: (tensors: ReadonlyArray<TensorData>) => ReadonlyArray<TensorData>
): string => {
  const folder = copyRest(from)
  writeFileSync(
    join(folder, "model.safetensors"),
    safetensors(change(readSafetensors(join(from, "model.safetensors"))))
  )
  return folder
}

/** A copy of a single-file checkpoint in `shards` files with an index: tensors are dealt round robin, none left alone. */
export const shardedCheckpoint = (from: string, shards = 3): string => {
  const folder = copyRest(from)
  const tensors = readSafetensors(join(from, "model.safetensors"))
  const name = (shard: number) => `model-${pad(shard + 1)}-of-${pad(shards)}.safetensors`
  const weightMap: Record<string, string> = {}
  for (let shard = 0; shard < shards; shard++) {
    const part = tensors.filter((_, at) => at % shards === shard)
    for (const tensor of part) weightMap[tensor.name] = name(shard)
    writeFileSync(join(folder, name(shard)), safetensors(part))
  }
  const index = {
    metadata: { total_size: tensors.reduce((sum, { data }) => sum + data.length, 0) },
    weight_map: weightMap
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index))
  return folder
}

const pad = (count: number) => String(count).padStart(5, "0")

/** A folder of the given files: objects as JSON, texts and bytes as they are. */
export const folderOf = (files: Readonly<Record<string, unknown>>): string => {
  const folder = tempFolder()
  for (const [name, content] of Object.entries(files)) {
    const raw = typeof content === "string" || content instanceof Uint8Array
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content))
  }
  return folder
}
