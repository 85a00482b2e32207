import type { GraphBuilder } from "../../graph/builder.ts"
import type { Ref } from "../../graph/graph.ts"
import type { Activation } from "../../ops/activation.ts"

/** down(f(gate(x)) * up(x)). */
export const gatedMlp = (g: GraphBuilder, x: Ref, name: string, width: number, kind: Activation, bias = false): Ref => {
  const gate = g.linear(x, `${name}.gate_proj`, width, { bias })
  const up = g.linear(x, `${name}.up_proj`, width, { bias })
  return g.linear(g.gated(gate, up, kind), `${name}.down_proj`, x.columns, { bias })
}
