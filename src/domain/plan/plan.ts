import type { OpName } from "../ops/table.ts"
import type { Dtype } from "../tensor/dtype.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"

/** A float32 buffer of the arena: one row of `width` values for each token of the step, or for each output row of a slab. */
export interface Slot {
  readonly rows: "tokens" | "outputs"
  readonly width: number
  /** Bytes from the region's start, per row of capacity: the slot begins at `offset * capacity`. A multiple of 64. */
  readonly offset: number
}

/** Columns `[column, column + columns)` of every row of a slot. */
export type Operand =
  | { readonly kind: "none" }
  | { readonly kind: "view"; readonly slot: number; readonly column: number; readonly columns: number }
  | { readonly kind: "weight"; readonly weight: number }

export type View = Operand & { readonly kind: "view" }

/** The heads of a plan that pools. */
export interface PlanPooler {
  /** One row a sequence; absent: there is no such head. */
  readonly pooled?: View
  /** One row for every token asked for. */
  readonly each?: View
  /** First instruction of the head over single tokens. */
  readonly eachStart: number
  /** Columns of the running sum that is kept for a sequence between steps; 0: none. */
  readonly carryWidth: number
}

/** `operands` follow the op record: its outputs, then its inputs, in their order. */
export interface Instruction {
  readonly op: OpName
  readonly operands: ReadonlyArray<Operand>
  readonly attributes: Record<string, number>
}

/** Rows `[rowStart, rowStart + rows)` of one checkpoint tensor. `transposed`: the tensor is stored [K, N] (GPT-2's Conv1D) and rows count N. */
export interface WeightSegment {
  readonly tensor: string
  readonly rowStart: number
  readonly rows: number
  readonly transposed: boolean
  /** Rows of the whole tensor, where the segments of the plan do not reach its end. */
  readonly tensorRows?: number
}

/**
 * One entry of the weight table. `linear` and `table` keep `dtype`; `vector` is expanded to float32.
 * Shape [rows, columns]; a vector is [1, columns] and its segments' "rows" count elements.
 */
export type PlanWeight = {
  readonly name: string
  readonly kind: "linear" | "table" | "vector"
  readonly dtype: Dtype
  readonly rows: number
  readonly columns: number
} & (
  | { readonly source: "checkpoint"; readonly segments: ReadonlyArray<WeightSegment> }
  | { readonly source: "constant"; readonly values: Float32Array }
)

/** Layers whose sequences share one block table. */
export interface CacheGroup {
  readonly layers: number
  readonly kvHeads: number
  readonly keyDim: number
  readonly valueDim: number
  readonly dtype: Dtype
  /** Tokens that a query sees, itself included; 0: all. */
  readonly window: number
}

/**
 * A compiled graph: what a backend executes, step after step.
 * Instructions before `headStart` run once over all T tokens; those from it run over slabs of the R output rows, ending in
 * `logits`. With a pooler those from `headStart` run over slabs of the pooled rows, those from its `eachStart` over slabs of
 * the single tokens' rows.
 */
export interface Plan {
  readonly architecture: string
  readonly dtype: Dtype
  readonly instructions: ReadonlyArray<Instruction>
  readonly headStart: number
  readonly slots: ReadonlyArray<Slot>
  /** Bytes per row of capacity of the two regions. */
  readonly tokenBytes: number
  readonly outputBytes: number
  readonly weights: ReadonlyArray<PlanWeight>
  readonly cacheGroups: ReadonlyArray<CacheGroup>
  /** Absent where there is a pooler. */
  readonly logits?: View
  /** Columns of the logits; 0 where there is a pooler. */
  readonly vocabSize: number
  readonly pooler?: PlanPooler
  /** Other spellings of the tensors that `weights` names; absent: only those. `matchWeights` settles them. */
  readonly naming?: TensorNaming
}
