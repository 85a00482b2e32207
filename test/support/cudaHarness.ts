import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { type OpName, opNames, opRecord } from "../../src/domain/ops/table.ts"
import { type Dtype, dtypeCode } from "../../src/domain/tensor/dtype.ts"
import type { MadeCase, MadeOperand } from "./opCase.ts"
import { blockSize } from "./opCase.ts"

const root = resolve(import.meta.dirname, "../..")
const compiler = process.env.CXX ?? "c++"

/** What stands in the columns that pad a row: a kernel that writes past its columns is caught. */
const guard = 12345
const padding = 5

export interface Harness {
  readonly module: string
  readonly describe: (module?: string) => { reason: string; devices: Array<string>; implements: Array<number> }
  readonly run: (op: OpName, cases: ReadonlyArray<MadeCase>, dtype: Dtype) => ReadonlyArray<CudaAnswer>
  readonly close: () => void
}
export type CudaAnswer =
  | { readonly refusal: string }
  | { readonly operands: ReadonlyArray<Float32Array>; readonly keys: Float32Array; readonly values: Float32Array }

export const hasCompiler = (): boolean => {
  try {
    execFileSync(compiler, ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Compiles the kernels under the host shim and the program that runs cases; MILLRACE_CUDA_MODULE names a real module instead. */
export const buildHarness = (): Harness => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-cuda-"))
  const [program, shim] = [join(folder, "harness"), join(folder, "millrace_cuda_shim.so")]
  const compile = (...rest: ReadonlyArray<string>) =>
    execFileSync(compiler, ["-std=c++20", "-O1", "-Wall", "-Wextra", "-ffp-contract=off", ...rest], {
      cwd: root
    })
  compile("-I", "src/native", "test/native/cuda/harness.cpp", "src/native/cuda_module.cpp", "-ldl", "-o", program)
  const kernels = readdirSync(join(root, "cuda")).filter((file) => /\.(cu|cpp)$/.test(file))
  compile("-fPIC", "-shared", "-fvisibility=hidden", "-x", "c++", ...kernels.map((file) => `cuda/${file}`), "-o", shim)
  const module = process.env.MILLRACE_CUDA_MODULE ?? shim
  return {
    module,
    describe: (path = module) => JSON.parse(execFileSync(program, [path], { encoding: "utf8" })),
    run: (op, cases, dtype) => {
      const input = Buffer.concat(cases.map((made) => encode(op, made, dtype)))
      const output = execFileSync(program, [module, "run"], { input, maxBuffer: 2 ** 30 })
      const reader = { output, at: 0 }
      const answers = cases.map((made) => decode(reader, made, dtype))
      if (reader.at !== output.length) throw new Error("The harness answered more than was asked.")
      return answers
    },
    close: () => rmSync(folder, { recursive: true })
  }
}

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** `values` are already rounded to `dtype`. */
const store = (values: ArrayLike<number>, dtype: Dtype): Buffer => {
  if (dtype === "float32") return Buffer.from(Float32Array.from(values).buffer)
  return Buffer.from(Uint16Array.from(values, dtype === "bfloat16" ? bfloat16Bits : float16Bits).buffer)
}

const bfloat16Bits = (x: number): number => {
  float[0] = x
  return bits[0]! >>> 16
}

const float16Bits = (x: number): number => {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const a = Math.abs(x)
  if (Number.isNaN(a)) return 0x7e00
  if (a === Number.POSITIVE_INFINITY) return sign | 0x7c00
  if (a < 2 ** -14) return sign | Math.round(a * 2 ** 24)
  const exponent = Math.floor(Math.log2(a))
  return sign | ((exponent + 15) << 10) | Math.round((a / 2 ** exponent - 1) * 1024)
}

const fromFloat16 = (h: number): number => {
  const [sign, exponent, fraction] = [h & 0x8000 ? -1 : 1, (h >> 10) & 31, h & 1023]
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

const fromBfloat16 = (h: number): number => {
  bits[0] = h << 16
  return float[0]!
}

const words = (values: ReadonlyArray<number>): Buffer => Buffer.from(Int32Array.from(values).buffer)
const stride = (operand: MadeOperand) => operand.columns + padding

const padded = (operand: MadeOperand): Float32Array => {
  const rows = new Float32Array(operand.rows * stride(operand)).fill(guard)
  for (let r = 0; r < operand.rows; r++)
    rows.set(operand.data!.subarray(r * operand.columns, (r + 1) * operand.columns), r * stride(operand))
  return rows
}

/** The op's struct: operands are resolved by the runtime, so their words stand empty here. */
const instruction = (op: OpName, made: MadeCase): Buffer => {
  const attributes = Object.entries(opRecord(op).attributes).map(([name, type]) =>
    type === "f32" ? Buffer.from(Float32Array.of(made.attributes[name]!).buffer) : words([made.attributes[name]!])
  )
  const length = 4 * made.operands.length + attributes.length
  return Buffer.concat([
    words([opNames.indexOf(op), length, ...Array(4 * made.operands.length).fill(0)]),
    ...attributes
  ])
}

const encode = (op: OpName, made: MadeCase, dtype: Dtype): Buffer => {
  const code = instruction(op, made)
  const writesCache = "kvHeads" in opRecord(op).attributes
  const width = made.cacheValues.length / (made.cacheKeys.length || 1)
  const values = made.cacheValues.slice()
  const valueBlock = blockSize * (made.dims.G ?? 1) * (made.dims.E ?? 0)
  for (const block of made.openedBlocks) values.fill(Number.NaN, block * valueBlock, (block + 1) * valueBlock)
  const [keys, stale] =
    writesCache && width > 0 ? [store(made.cacheKeys, dtype), store(values, dtype)] : [words([]), words([])]
  const { tokens, positions, tokenTypes, groups } = made.context
  return Buffer.concat([
    words([code.length / 4]),
    code,
    words([made.operands.length]),
    words(made.operands.flatMap((o) => [o.data ? 1 : 0, o.rows, o.columns, stride(o), dtypeCode(o.dtype)])),
    words([tokens.length, blockSize, groups[0]!.slots.length, keys.length, stale.length]),
    ...made.operands.flatMap((operand) => (operand.data ? [store(padded(operand), operand.dtype)] : [])),
    ...[tokens, positions, tokenTypes, groups[0]!.slots].map((array) => words([...array])),
    keys,
    stale
  ])
}

interface Reader {
  readonly output: Buffer
  at: number
}

/** The next bytes, once. */
const skip = (reader: Reader, bytes: number): Buffer => {
  reader.at += bytes
  return reader.output.subarray(reader.at - bytes, reader.at)
}

const take = (reader: Reader, count: number, dtype: Dtype): Float32Array => {
  const bytes = count * (dtype === "float32" ? 4 : 2)
  const copy = new Uint8Array(skip(reader, bytes)).buffer
  if (dtype === "float32") return new Float32Array(copy)
  return Float32Array.from(new Uint16Array(copy), dtype === "bfloat16" ? fromBfloat16 : fromFloat16)
}

const unpadded = (rows: Float32Array, operand: MadeOperand): Float32Array => {
  const data = new Float32Array(operand.rows * operand.columns)
  const kept = operand.dtype === "float32" ? guard : undefined
  for (let r = 0; r < operand.rows; r++) {
    const at = r * stride(operand)
    data.set(rows.subarray(at, at + operand.columns), r * operand.columns)
    if (kept !== undefined && rows.subarray(at + operand.columns, at + stride(operand)).some((x) => x !== kept))
      throw new Error(`The kernel wrote past the columns of ${operand.name}, row ${r}.`)
  }
  return data
}

const decode = (reader: Reader, made: MadeCase, dtype: Dtype): CudaAnswer => {
  const next = () => skip(reader, 4).readInt32LE()
  if (next() !== 0) return { refusal: skip(reader, next()).toString() }
  const operands = made.operands.map((operand) =>
    operand.data ? unpadded(take(reader, operand.rows * stride(operand), operand.dtype), operand) : new Float32Array(0)
  )
  const cached = "group" in made.attributes
  const cache = (length: number) => take(reader, cached ? length : 0, dtype)
  return { operands, keys: cache(made.cacheKeys.length), values: cache(made.cacheValues.length) }
}
