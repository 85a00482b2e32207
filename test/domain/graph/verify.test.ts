import { describe, expect, it } from "vitest"
import { type Graph, type Node, results } from "../../../src/domain/graph/graph.ts"
import { printGraph } from "../../../src/domain/graph/print.ts"
import { verify } from "../../../src/domain/graph/verify.ts"
import { compileFolder, folderOf } from "../../support/golden.ts"

const { graph } = compileFolder(folderOf("llama-gqa"))
const first = (op: Node["op"]) => graph.nodes.findIndex((node) => node.op === op)
const change = (at: number, by: (node: Node) => Node): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node, index) => (index === at ? by(node) : node))
})

describe("verify", () => {
  it("says which dims disagree, by name and size", () => {
    const at = first("add")
    const narrow = change(at, (node) => ({
      ...node,
      inputs: [node.inputs[0]!, { ...results(graph)[0]!, value: 4, columns: 32 }]
    }))
    expect(verify(narrow)).toEqual([`node ${at} (add): b: H is 64, but here it is 32`])
  })

  it("says that heads do not divide a row", () => {
    const at = first("rope")
    const odd = change(at, (node) => ({ ...node, attributes: { ...node.attributes, heads: 3 } }))
    expect(verify(odd)).toEqual([
      `node ${at} (rope): y: 64 is no multiple of G = 3`,
      expect.stringContaining(`node ${at} (rope): x`)
    ])
  })

  it("finds a value that is read before it is written", () => {
    const swapped = { ...graph, nodes: [graph.nodes[1]!, graph.nodes[2]!, ...graph.nodes.slice(3), graph.nodes[0]!] }
    expect(verify(swapped)[0]).toContain("(rope): table %0 is read before it is written")
  })

  it("finds attention that reads a cache nobody has written", () => {
    const at = first("kvWrite")
    const unwritten = { ...graph, nodes: graph.nodes.filter((_, index) => index !== at) }
    expect(verify(unwritten)).toEqual([
      `node ${at} (attention): reads cache 0/0 before this step's K and V are written`
    ])
  })

  it("finds columns past a value's end, a missing attribute, and a layer that the cache does not have", () => {
    const norm = first("rmsNorm")
    const past = change(norm, (node) => ({
      ...node,
      inputs: [{ kind: "value", value: 1, column: 8, columns: 64 }, node.inputs[1]!]
    }))
    expect(verify(past)).toContain(`node ${norm} (rmsNorm): x columns 8 to 72 of %1, which has 64`)
    const bare = change(norm, (node) => ({ ...node, attributes: { groups: 1 } }))
    expect(verify(bare)).toContain(`node ${norm} (rmsNorm): attribute eps is no number`)
    const write = first("kvWrite")
    const beyond = change(write, (node) => ({ ...node, attributes: { ...node.attributes, layer: 7 } }))
    expect(verify(beyond)).toContain(`node ${write} (kvWrite): cache group 0 has no layer 7`)
  })

  it("prints a graph one line a node, the same every time", () => {
    const text = printGraph(graph)
    expect(text.split("\n")).toHaveLength(graph.nodes.length + 3)
    expect(text).toContain("%3: tokens x 64 = linear(x=%2, weight=model.layers.0.self_attn.q_proj.weight) {dtype=0}")
    expect(printGraph(compileFolder(folderOf("llama-gqa")).graph)).toBe(text)
  })
})
