import type { Dtype } from "../tensor/dtype.ts"

/**
 * What an operand is, with its shape in named dims:
 * - `act[T,H]`: float32 activations, row-major, one row a token (or, in the head, a row asked for);
 * - `f32[H]`: a parameter vector, expanded to float32 when loaded (norm weights, biases, rope frequencies);
 * - `weight[N,K]`: a packed linear weight in its storage dtype;
 * - `table[V,H]`: rows that are looked up, in their storage dtype.
 * A dim may be a product (`A*D`); its factors are attributes or dims of other operands. A trailing `?` marks an optional operand.
 */
export type OperandType = string

/** `dtype` attributes hold `dtypeCode`; the header gives them as int32. */
export type AttributeType = "i32" | "f32" | "dtype"

/** What an op sees of the step beside its operands. All arrays as in `StepInput`; the cache belongs to the backend. */
export interface ReferenceContext {
  readonly tokens: Int32Array
  readonly positions: Int32Array
  /** [T] */
  readonly tokenTypes: Int32Array
  readonly sequenceStarts: Int32Array
  readonly contextLengths: Int32Array
  /** [S] place of each sequence's running sum among `sums`; -1: none is kept. */
  readonly carries: Int32Array
  readonly sums: Float32Array
  /** Row of the token batch for each row asked for. */
  readonly rows: Int32Array
  readonly groups: ReadonlyArray<{
    readonly slots: Int32Array
    readonly blockTables: Int32Array
    readonly blockTableStarts: Int32Array
  }>
  readonly blockSize: number
  readonly cache: (group: number, layer: number) => ReferenceCache
}

/** K and V of one layer as float32 already rounded to the storage dtype: `[slot][kvHeads][dim]`, slot = block * blockSize + offset. */
export interface ReferenceCache {
  readonly keys: Float32Array
  readonly values: Float32Array
}

export type Operands = Record<string, Float32Array>
export type Dims = Record<string, number>
export type Attributes = Record<string, number>

/** Makes an operand's values for a generated case; a fresh deterministic stream each. */
export type Fill = (count: number) => Float32Array
export interface Generators {
  readonly normal: (deviation: number) => Fill
  readonly uniform: (low: number, high: number) => Fill
  readonly one: (deviation: number) => Fill
}
export interface OpCase {
  readonly dims: Dims
  readonly attributes?: Attributes
  readonly operands: Record<string, Fill>
  /** Lengths of the sequences in the batch, new tokens and tokens already cached; one sequence of T new tokens when absent. */
  readonly sequences?: ReadonlyArray<{ readonly cached: number; readonly tokens: number }>
}

export interface OpRecord {
  /** The formula, with shapes and its source. */
  readonly doc: string
  readonly outputs: Record<string, OperandType>
  readonly inputs: Record<string, OperandType>
  readonly attributes: Record<string, AttributeType>
  /** Operands are dense row-major; outputs are written in place. This is the op's definition. */
  readonly reference: (operands: Operands, dims: Dims, attributes: Attributes, context: ReferenceContext) => void
  readonly cases: (generators: Generators) => ReadonlyArray<OpCase>
  /** Greatest |got - want| / (1 + |want|), by the dtype of weights or cache. */
  readonly tolerance: Record<Dtype, number>
  /** Why there is no CUDA kernel yet; absent when there is one. Loading a plan with this op on CUDA fails with this sentence. */
  readonly cudaMissing?: string
}
