import type { Node } from "./library.ts"

/** A node of the tree and all below it, however deep. */
export const nodesIn = (program: Node): ReadonlyArray<Node> => {
  const nodes: Array<Node> = []
  const left: Array<unknown> = [program]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next !== "object" || next === null) continue
    if ("type" in next) nodes.push(next as Node)
    for (const child of next instanceof Map ? [...next.keys(), ...next.values()] : Object.values(next)) left.push(child)
  }
  return nodes
}

const counts = new WeakMap<Node, number>()

/** How many nodes a tree has; counted once. */
export const countNodes = (node: Node): number => {
  const known = counts.get(node) ?? nodesIn(node).length
  counts.set(node, known)
  return known
}
