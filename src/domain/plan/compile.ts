import type { Graph } from "../graph/graph.ts"
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

/** Graph to plan. */
export const compile = (graph: Graph): Plan => lower(passes.reduce((current, { run }) => run(current), graph))
