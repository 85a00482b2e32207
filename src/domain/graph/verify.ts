import { opRecord } from "../ops/table.ts"
import { matchShapes, parseType, type Shape } from "../tensor/shape.ts"
import { type Graph, type GraphOperand, type Node, results } from "./graph.ts"

const weightKind: Record<string, string> = { weight: "linear", table: "table", f32: "vector" }

/** What is wrong with one operand by itself, or its shape. */
const operandShape = (
  graph: Graph,
  operand: GraphOperand,
  type: string,
  written: ReadonlySet<number>
): Shape | string | undefined => {
  if (operand.kind === "none") return undefined
  const { kind } = parseType(type)
  if (operand.kind === "weight") {
    const weight = graph.weights[operand.weight]
    if (weight === undefined) return `weight ${operand.weight} does not exist`
    if (weight.kind !== weightKind[kind]) return `is ${kind}, but ${weight.name} is a ${weight.kind}`
    return [weight.rows, weight.columns]
  }
  const value = graph.values[operand.value]
  if (value === undefined) return `value %${operand.value} does not exist`
  if (kind !== "act") return `is ${kind}, but %${operand.value} is an activation`
  if (!written.has(operand.value)) return `%${operand.value} is read before it is written`
  if (operand.column < 0 || operand.column + operand.columns > value.columns)
    return `columns ${operand.column} to ${operand.column + operand.columns} of %${operand.value}, which has ${value.columns}`
  return [value.rows, operand.columns]
}

const attributeProblems = (node: Node): ReadonlyArray<string> => {
  const wanted = Object.keys(opRecord(node.op).attributes)
  const given = Object.keys(node.attributes)
  return [
    ...wanted.filter((name) => !Number.isFinite(node.attributes[name])).map((name) => `attribute ${name} is no number`),
    ...given.filter((name) => !wanted.includes(name)).map((name) => `attribute ${name} is not the op's`)
  ]
}

const nodeProblems = (graph: Graph, node: Node, written: Set<number>): ReadonlyArray<string> => {
  const record = opRecord(node.op)
  const problems = [...attributeProblems(node)]
  const shapes: Record<string, Shape | undefined> = {}
  Object.entries(record.inputs).forEach(([name, type], index) => {
    const shape = operandShape(graph, node.inputs[index] ?? { kind: "none" }, type, written)
    if (typeof shape === "string") problems.push(`${name} ${shape}`)
    else shapes[name] = shape
  })
  Object.keys(record.outputs).forEach((name, index) => {
    const value = graph.values[node.outputs[index]!]
    if (value === undefined) return
    if (written.has(node.outputs[index]!)) problems.push(`${name} writes %${node.outputs[index]} a second time`)
    written.add(node.outputs[index]!)
    shapes[name] = [value.rows, value.columns]
  })
  return [...problems, ...matchShapes(record, shapes, node.attributes).problems]
}

/** A pooler's heads each begin with a gatherRows of their own. */
const headProblems = ({ head, nodes }: Graph): ReadonlyArray<string> => {
  if (head.kind === "logits") return []
  const heads = Number(head.pooled !== undefined) + Number(head.each !== undefined)
  const gathers = nodes.filter(({ op }) => op === "gatherRows").length
  return heads > 0 && heads === gathers ? [] : [`the pooler has ${heads} heads and ${gathers} gatherRows`]
}

/** Sentences about what is wrong with a graph; none when it is sound. */
export const verify = (graph: Graph): ReadonlyArray<string> => {
  const written = new Set<number>()
  const caches = new Set<string>()
  const problems: Array<string> = []
  graph.nodes.forEach((node, index) => {
    const say = (sentence: string) => problems.push(`node ${index} (${node.op}): ${sentence}`)
    nodeProblems(graph, node, written).forEach(say)
    const { group, layer } = node.attributes
    if (group === undefined) return
    const cache = graph.cacheGroups[group]
    if (cache === undefined || !(layer! < cache.layers)) say(`cache group ${group} has no layer ${layer}`)
    else if (cache.kvHeads !== node.attributes.kvHeads)
      say(`kvHeads ${node.attributes.kvHeads}, but cache group ${group} has ${cache.kvHeads}`)
    if (node.op !== "attention") caches.add(`${group}/${layer}`)
    else if (!caches.has(`${group}/${layer}`))
      say(`reads cache ${group}/${layer} before this step's K and V are written`)
  })
  for (const { value } of results(graph))
    if (!written.has(value)) problems.push(`the head's %${value} is never written`)
  return [...problems, ...headProblems(graph)]
}
