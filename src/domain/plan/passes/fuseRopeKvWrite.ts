import { type Graph, isWhole, type Node, sameRef, useCounts } from "../../graph/graph.ts"

const isRope = (node: Node | undefined): node is Node => node?.op === "rope"

/** The fused form of three nodes in a row: rope(q), rope(k), kvWrite(rope(k), v). */
const fuse = (graph: Graph, counts: ReadonlyArray<number>, q: Node, k: Node | undefined, write: Node | undefined) => {
  if (!isRope(q) || !isRope(k) || write?.op !== "kvWrite") return undefined
  const [turned, v] = write.inputs
  const [qTable, kTable] = [q.inputs[1], k.inputs[1]]
  if (turned?.kind !== "value" || turned.value !== k.outputs[0] || !isWhole(graph, turned)) return undefined
  if (counts[turned.value] !== 1 || qTable?.kind !== "value" || kTable?.kind !== "value") return undefined
  if (!sameRef(qTable, kTable) || q.attributes.interleaved !== k.attributes.interleaved) return undefined
  const { kvHeads, group, layer, dtype } = write.attributes
  return {
    op: "ropeKvWrite",
    outputs: q.outputs,
    inputs: [q.inputs[0]!, k.inputs[0]!, v!, qTable],
    attributes: {
      heads: q.attributes.heads!,
      kvHeads: kvHeads!,
      interleaved: q.attributes.interleaved!,
      group: group!,
      layer: layer!,
      dtype: dtype!
    }
  } satisfies Node
}

/** Turning q and k and writing K and V become one pass over the rows; the turned k is never stored. */
export const fuseRopeKvWrite = (graph: Graph): Graph => {
  const counts = useCounts(graph)
  const nodes: Array<Node> = []
  for (let at = 0; at < graph.nodes.length; at++) {
    const node = graph.nodes[at]!
    const whole = fuse(graph, counts, node, graph.nodes[at + 1], graph.nodes[at + 2])
    nodes.push(whole ?? node)
    if (whole !== undefined) at += 2
  }
  return { ...graph, nodes }
}
