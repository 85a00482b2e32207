import type { OpName } from "../ops/table.ts"
import type { CacheGroup, PlanWeight } from "../plan/plan.ts"
import type { Pooling } from "../pooling/target.ts"
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

/** What a pooler's head is for. */
export const poolTasks = ["embed", "tokenEmbed", "classify", "tokenClassify", "reward"] as const
export type PoolTask = (typeof poolTasks)[number]

/**
 * What a graph ends in. Logits: of the rows asked for. Pooler: `pooled`, one row a sequence, and `each`, a row for every token
 * asked for; each begins with a gatherRows of its own, `pooled` first, and either may be missing. `pooling` is how the
 * sequence's row comes about, or which rows of `each` the task asks for.
 */
export type GraphHead =
  | { readonly kind: "logits"; readonly logits: Ref }
  | {
      readonly kind: "pooler"
      readonly task: PoolTask
      readonly pooling: Pooling
      readonly pooled?: Ref
      readonly each?: Ref
    }

/** The values that outlive all nodes. */
export const results = ({ head }: Pick<Graph, "head">): ReadonlyArray<Ref> =>
  head.kind === "logits" ? [head.logits] : [head.pooled, head.each].filter((ref) => ref !== undefined)

/** The head with every ref put through `f`. */
export const mapHead = (head: GraphHead, f: (ref: Ref) => Ref): GraphHead =>
  head.kind === "logits"
    ? { ...head, logits: f(head.logits) }
    : {
        ...head,
        ...(head.pooled === undefined ? {} : { pooled: f(head.pooled) }),
        ...(head.each === undefined ? {} : { each: f(head.each) })
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
  readonly head: GraphHead
  readonly naming: TensorNaming
}

export const refs = (node: Node): ReadonlyArray<Ref> => node.inputs.filter((operand) => operand.kind === "value")

/** How many operands read each value; a result of the head counts as one. */
export const useCounts = (graph: Graph): ReadonlyArray<number> => {
  const counts = graph.values.map(() => 0)
  for (const ref of [...graph.nodes.flatMap(refs), ...results(graph)]) counts[ref.value]!++
  return counts
}

/** Whether `ref` is all columns of its value. */
export const isWhole = (graph: Graph, ref: Ref): boolean =>
  ref.column === 0 && ref.columns === graph.values[ref.value]!.columns

export const sameRef = (a: Ref, b: Ref): boolean =>
  a.value === b.value && a.column === b.column && a.columns === b.columns
