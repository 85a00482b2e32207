import type { OpName } from "../ops/table.ts"
import type { CacheGroup, PlanWeight } from "../plan/plan.ts"
import type { Dtype } from "../tensor/dtype.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"

/** A dense float32 matrix that a node writes: a row for each token, or, in the head, for each row asked for. */
export interface Value {
  readonly rows: "tokens" | "outputs"
  readonly columns: number
}

/** Columns `[column, column + columns)` of a value. */
export interface Ref {
  readonly kind: "value"
  readonly value: number
  readonly column: number
  readonly columns: number
}

export type GraphOperand = Ref | { readonly kind: "weight"; readonly weight: number } | { readonly kind: "none" }

/** One op. `outputs` are the ids of the values it writes, `inputs` its operands, both in the record's order. */
export interface Node {
  readonly op: OpName
  readonly outputs: ReadonlyArray<number>
  readonly inputs: ReadonlyArray<GraphOperand>
  readonly attributes: Readonly<Record<string, number>>
}

/**
 * A model's mathematics. Immutable: a pass answers a new graph. Nodes stand in the order they run, which is also what
 * orders cache writes and reads. Ids of values and weights index their arrays; a pass may leave some unused.
 */
export interface Graph {
  readonly architecture: string
  readonly dtype: Dtype
  readonly values: ReadonlyArray<Value>
  readonly nodes: ReadonlyArray<Node>
  readonly weights: ReadonlyArray<PlanWeight>
  readonly cacheGroups: ReadonlyArray<CacheGroup>
  readonly logits: Ref
  readonly naming: TensorNaming
}

export const refs = (node: Node): ReadonlyArray<Ref> => node.inputs.filter((operand) => operand.kind === "value")

/** How many operands read each value; the logits count as one. */
export const useCounts = (graph: Graph): ReadonlyArray<number> => {
  const counts = graph.values.map(() => 0)
  for (const ref of [...graph.nodes.flatMap(refs), graph.logits]) counts[ref.value]!++
  return counts
}

/** Whether `ref` is all columns of its value. */
export const isWhole = (graph: Graph, ref: Ref): boolean =>
  ref.column === 0 && ref.columns === graph.values[ref.value]!.columns

export const sameRef = (a: Ref, b: Ref): boolean =>
  a.value === b.value && a.column === b.column && a.columns === b.columns
