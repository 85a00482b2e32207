import { type Graph, type GraphOperand, isWhole, type Node, type Ref, refs, results } from "../graph/graph.ts"
import { type Lifetime, placeSlots } from "./memory.ts"
import type { Instruction, Operand, Plan, PlanPooler, View } from "./plan.ts"

/** Ops whose first output may be written over one of these inputs: their docs say so. */
const inPlace: Partial<Record<Node["op"], ReadonlyArray<number>>> = {
  add: [0, 1],
  addRmsNorm: [1],
  addLayerNorm: [1],
  rmsNorm: [0],
  activation: [0]
}

/** Last node that reads each value. What the head answers outlives all nodes. */
const lastReads = (graph: Graph): ReadonlyArray<number> => {
  const last = graph.values.map(() => -1)
  graph.nodes.forEach((node, index) => {
    for (const ref of refs(node)) last[ref.value] = index
  })
  for (const { value } of results(graph)) last[value] = graph.nodes.length
  return last
}

/** Gives every written value a slot; a value may take over the slot of an input that dies in its op. */
const assignSlots = (graph: Graph, headStart: number) => {
  const last = lastReads(graph)
  const slotOf = new Map<number, number>()
  const lifetimes: Array<Lifetime> = []
  graph.nodes.forEach((node, index) => {
    node.outputs.forEach((id, output) => {
      const value = graph.values[id]!
      // The head runs slab after slab, so what it reads of the tokens' region must outlive it.
      const end = value.rows === "tokens" && last[id]! >= headStart ? graph.nodes.length : Math.max(last[id]!, index)
      const reused = (output === 0 ? (inPlace[node.op] ?? []) : [])
        .map((at) => node.inputs[at]!)
        .find(
          (ref) =>
            ref.kind === "value" &&
            last[ref.value] === index &&
            isWhole(graph, ref) &&
            graph.values[ref.value]!.rows === value.rows &&
            node.inputs.filter((other) => other.kind === "value" && other.value === ref.value).length === 1
        )
      const slot = reused?.kind === "value" ? slotOf.get(reused.value)! : lifetimes.length
      if (slot === lifetimes.length) lifetimes.push({ rows: value.rows, width: value.columns, start: index, end })
      else lifetimes[slot] = { ...lifetimes[slot]!, end: Math.max(lifetimes[slot]!.end, end) }
      slotOf.set(id, slot)
    })
  })
  return { slotOf, lifetimes }
}

/** The pooler's part of a plan: its second head begins with the second gatherRows, or is the only one. */
const lowerPooler = (graph: Graph, view: (ref: Ref) => View): PlanPooler | undefined => {
  const { head, nodes, values, cacheGroups } = graph
  if (head.kind !== "pooler") return undefined
  // Without a cache no sequence is split, and a sum ends in the step where it began.
  const mean = nodes.find(({ op }) => op === "runningMean")
  return {
    ...(head.pooled === undefined ? {} : { pooled: view(head.pooled) }),
    ...(head.each === undefined ? {} : { each: view(head.each) }),
    eachStart: head.each === undefined ? nodes.length : nodes.map(({ op }) => op).lastIndexOf("gatherRows"),
    carryWidth: mean === undefined || cacheGroups.length === 0 ? 0 : values[mean.outputs[0]!]!.columns
  }
}

/** The last pass: values to slots of the arena, placed by lifetime; weights that no node names are left out. */
export const lower = (graph: Graph): Plan => {
  const first = graph.nodes.findIndex((node) => node.outputs.some((id) => graph.values[id]!.rows === "outputs"))
  const headStart = first < 0 ? graph.nodes.length : first
  const { slotOf, lifetimes } = assignSlots(graph, headStart)
  const used = [
    ...new Set(
      graph.nodes.flatMap(({ inputs }) => inputs.flatMap((ref) => (ref.kind === "weight" ? [ref.weight] : [])))
    )
  ]
  const place = new Map(used.map((weight, index) => [weight, index]))
  const operand = (ref: GraphOperand): Operand =>
    ref.kind === "value"
      ? { kind: "view", slot: slotOf.get(ref.value)!, column: ref.column, columns: ref.columns }
      : ref.kind === "weight"
        ? { kind: "weight", weight: place.get(ref.weight)! }
        : ref
  const instruction = (node: Node): Instruction => ({
    op: node.op,
    operands: [
      ...node.outputs.map((value) =>
        operand({ kind: "value", value, column: 0, columns: graph.values[value]!.columns })
      ),
      ...node.inputs.map(operand)
    ],
    attributes: node.attributes
  })
  const view = ({ value, column, columns }: Ref): View => ({
    kind: "view",
    slot: slotOf.get(value)!,
    column,
    columns
  })
  const { head } = graph
  const pooler = lowerPooler(graph, view)
  return {
    architecture: graph.architecture,
    dtype: graph.dtype,
    instructions: graph.nodes.map(instruction),
    headStart,
    ...placeSlots(lifetimes),
    weights: used.map((index) => graph.weights[index]!),
    cacheGroups: graph.cacheGroups,
    ...(head.kind === "logits" ? { logits: view(head.logits) } : {}),
    vocabSize: head.kind === "logits" ? head.logits.columns : 0,
    ...(pooler === undefined ? {} : { pooler }),
    naming: graph.naming
  }
}
