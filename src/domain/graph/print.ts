import { opRecord } from "../ops/table.ts"
import type { PlanWeight } from "../plan/plan.ts"
import type { Graph, GraphHead, GraphOperand, Node } from "./graph.ts"

/** Attributes as `{heads=4, scale=0.25}`; nothing when there are none. */
export const printAttributes = (attributes: Readonly<Record<string, number>>): string => {
  const entries = Object.entries(attributes).map(([name, value]) => `${name}=${Number(value.toPrecision(8))}`)
  return entries.length === 0 ? "" : ` {${entries.join(", ")}}`
}

/** Where a weight's rows come from. */
export const printWeight = (weight: PlanWeight): string => {
  const source =
    weight.source === "constant"
      ? `constant ${weight.name}`
      : weight.segments
          .map(
            ({ tensor, rowStart, transposed }) =>
              tensor + (rowStart > 0 ? `[${rowStart}..]` : "") + (transposed ? "^T" : "")
          )
          .join(" + ")
  return `${weight.kind} ${weight.dtype} [${weight.rows}, ${weight.columns}] = ${source}`
}

const operand = (graph: Graph, name: string, ref: GraphOperand): ReadonlyArray<string> => {
  if (ref.kind === "none") return []
  if (ref.kind === "weight") return [`${name}=${graph.weights[ref.weight]!.name}`]
  const whole = ref.columns === graph.values[ref.value]!.columns
  return [`${name}=%${ref.value}${whole ? "" : `[${ref.column}:${ref.column + ref.columns}]`}`]
}

const line = (graph: Graph, node: Node): string => {
  const names = Object.keys(opRecord(node.op).inputs)
  const inputs = node.inputs.flatMap((ref, index) => operand(graph, names[index]!, ref))
  const outputs = node.outputs.map((id) => `%${id}: ${graph.values[id]!.rows} x ${graph.values[id]!.columns}`)
  const target = outputs.length === 0 ? "" : `${outputs.join(", ")} = `
  return `${target}${node.op}(${inputs.join(", ")})${printAttributes(node.attributes)}`
}

const printHead = (head: GraphHead): ReadonlyArray<string> =>
  head.kind === "logits"
    ? [`  logits = %${head.logits.value}`]
    : [
        ...(head.pooled === undefined ? [] : [`  pooled = %${head.pooled.value}, ${head.task} of ${head.pooling}`]),
        ...(head.each === undefined ? [] : [`  each = %${head.each.value}`])
      ]

/** The graph as stable text: one line a node. */
export const printGraph = (graph: Graph): string =>
  [
    `graph ${graph.architecture} ${graph.dtype}`,
    ...graph.nodes.map((node) => `  ${line(graph, node)}`),
    ...printHead(graph.head),
    ""
  ].join("\n")
