import { type Graph, isWhole, type Node } from "../../graph/graph.ts"

const fused = { rmsNorm: "addRmsNorm", layerNorm: "addLayerNorm" } as const

/** The fused form of an add and the node after it, when that is a norm of the sum. */
const fuse = (graph: Graph, add: Node, norm: Node): Node | undefined => {
  if (add.op !== "add" || (norm.op !== "rmsNorm" && norm.op !== "layerNorm")) return undefined
  const [x, ...parameters] = norm.inputs
  if (x?.kind !== "value" || x.value !== add.outputs[0] || !isWhole(graph, x)) return undefined
  if (norm.attributes.groups !== undefined && norm.attributes.groups !== 1) return undefined
  const [stream, branch] = add.inputs
  return {
    op: fused[norm.op],
    outputs: [add.outputs[0]!, norm.outputs[0]!],
    inputs: [branch!, stream!, ...parameters],
    attributes: { eps: norm.attributes.eps! }
  }
}

/** A residual add whose sum the next node normalises becomes one op that gives both; the sum stays for the stream. */
export const fuseAddNorm = (graph: Graph): Graph => {
  const nodes: Array<Node> = []
  for (let at = 0; at < graph.nodes.length; at++) {
    const node = graph.nodes[at]!
    const next = graph.nodes[at + 1]
    const both = next === undefined ? undefined : fuse(graph, node, next)
    nodes.push(both ?? node)
    if (both !== undefined) at++
  }
  return { ...graph, nodes }
}
