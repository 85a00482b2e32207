import type { Graph } from "../graph/graph.ts"
import { verify } from "../graph/verify.ts"
import { lower } from "./lower.ts"
import { fuseAddNorm } from "./passes/fuseAddNorm.ts"
import { fuseRopeKvWrite } from "./passes/fuseRopeKvWrite.ts"
import { joinLinears } from "./passes/joinLinears.ts"
import type { Plan } from "./plan.ts"

/** The passes in the order they run. Each keeps the graph's meaning; tests verify the graph after each. */
export const passes: ReadonlyArray<{ readonly name: string; readonly run: (graph: Graph) => Graph }> = [
  { name: "joinLinears", run: joinLinears },
  { name: "fuseAddNorm", run: fuseAddNorm },
  { name: "fuseRopeKvWrite", run: fuseRopeKvWrite }
]

/** Graph to plan. Throws on an unsound graph: that is a fault of the family that wrote it, never of a checkpoint. */
export const compile = (graph: Graph): Plan => {
  const problems = verify(graph)
  if (problems.length > 0) throw new Error(`${graph.architecture} wrote an unsound graph:\n  ${problems.join("\n  ")}`)
  return lower(passes.reduce((current, { run }) => run(current), graph))
}
