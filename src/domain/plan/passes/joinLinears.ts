import { type Graph, type GraphOperand, mapHead, type Node, type Ref, sameRef } from "../../graph/graph.ts"
import type { PlanWeight } from "../plan.ts"

/** Reads every input through `replaced`: a view of a value that is gone becomes a view of what holds it now. */
const rewrite = (ref: Ref, replaced: ReadonlyMap<number, { readonly value: number; readonly column: number }>): Ref => {
  const now = replaced.get(ref.value)
  return now === undefined ? ref : { ...ref, value: now.value, column: now.column + ref.column }
}

const weightOf = (graph: Graph, operand: GraphOperand): PlanWeight | undefined =>
  operand.kind === "weight" ? graph.weights[operand.weight] : undefined

/** Whether `b` may become further rows of `a`'s linear. */
const joinable = (graph: Graph, a: Node, b: Node): boolean => {
  if (a.op !== "linear" || b.op !== "linear") return false
  const [x, weight, bias] = [a.inputs[0], weightOf(graph, a.inputs[1]!), a.inputs[2]!]
  const other = weightOf(graph, b.inputs[1]!)
  return (
    x?.kind === "value" &&
    b.inputs[0]?.kind === "value" &&
    sameRef(x, b.inputs[0]) &&
    bias.kind === b.inputs[2]!.kind &&
    weight?.source === "checkpoint" &&
    other?.source === "checkpoint" &&
    weight.dtype === other.dtype
  )
}

const joinWeights = (weights: ReadonlyArray<PlanWeight>): PlanWeight => {
  const [first] = weights
  const segments = weights.flatMap((weight) => (weight.source === "checkpoint" ? weight.segments : []))
  const total = segments.reduce((sum, { rows }) => sum + rows, 0)
  return {
    name: weights.map(({ name }) => name).join(" + "),
    kind: first!.kind,
    dtype: first!.dtype,
    rows: first!.kind === "vector" ? 1 : total,
    columns: first!.kind === "vector" ? total : first!.columns,
    source: "checkpoint",
    segments
  }
}

/**
 * Linears that stand side by side and read the same rows become one, their weights its row segments: q, k and v; gate and up.
 * What read their values reads columns of the joined one. No sum changes: every output keeps its own row of weights.
 */
export const joinLinears = (graph: Graph): Graph => {
  const values = [...graph.values]
  const weights = [...graph.weights]
  const replaced = new Map<number, { readonly value: number; readonly column: number }>()
  const nodes: Array<Node> = []
  const join = (run: ReadonlyArray<Node>): Node => {
    const operand = (index: number): GraphOperand => {
      const parts = run.map((node) => weightOf(graph, node.inputs[index]!)).filter((part) => part !== undefined)
      return parts.length === 0 ? { kind: "none" } : { kind: "weight", weight: weights.push(joinWeights(parts)) - 1 }
    }
    let column = 0
    for (const { outputs } of run) {
      replaced.set(outputs[0]!, { value: values.length, column })
      column += graph.values[outputs[0]!]!.columns
    }
    const value = values.push({ rows: graph.values[run[0]!.outputs[0]!]!.rows, columns: column }) - 1
    return { ...run[0]!, outputs: [value], inputs: [run[0]!.inputs[0]!, operand(1), operand(2)] }
  }
  for (let at = 0; at < graph.nodes.length; ) {
    let end = at + 1
    while (end < graph.nodes.length && joinable(graph, graph.nodes[at]!, graph.nodes[end]!)) end++
    nodes.push(end === at + 1 ? graph.nodes[at]! : join(graph.nodes.slice(at, end)))
    at = end
  }
  return {
    ...graph,
    values,
    weights,
    nodes: nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => (input.kind === "value" ? rewrite(input, replaced) : input))
    })),
    head: mapHead(graph.head, (ref) => rewrite(ref, replaced))
  }
}
