import type { GraphBuilder } from "../../graph/builder.ts"
import type { Ref } from "../../graph/graph.ts"

/** Heads of one attention block and the cache that its layer writes. */
export interface AttentionShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

export interface RotaryAttention extends AttentionShape {
  readonly qkvBias: boolean
  readonly outputBias: boolean
  /** Epsilon of a norm on q and k per head; absent: none. */
  readonly qkNormEps?: number
  /** Tokens that a query sees; 0: all. */
  readonly window: number
}

/** q, k, v projections, rotary positions, paged attention, output projection: the attention of Llama and its kin. */
export const rotaryAttention = (
  g: GraphBuilder,
  x: Ref,
  rotary: Ref,
  name: string,
  group: number,
  layer: number,
  a: RotaryAttention
): Ref => {
  const bias = { bias: a.qkvBias }
  const q = g.linear(x, `${name}.q_proj`, a.heads * a.headDim, bias)
  const k = g.linear(x, `${name}.k_proj`, a.kvHeads * a.headDim, bias)
  const v = g.linear(x, `${name}.v_proj`, a.kvHeads * a.headDim, bias)
  const normed = (y: Ref, norm: string, heads: number) =>
    a.qkNormEps === undefined ? y : g.rmsNorm(y, `${name}.${norm}`, a.qkNormEps, heads)
  const qn = normed(q, "q_norm", a.heads)
  const kn = normed(k, "k_norm", a.kvHeads)
  const y = g.attend(
    g.rope(qn, rotary, a.heads),
    g.rope(kn, rotary, a.kvHeads),
    v,
    { ...a, group, layer },
    {
      scale: 1 / Math.sqrt(a.headDim),
      window: a.window
    }
  )
  return g.linear(y, `${name}.o_proj`, x.columns, { bias: a.outputBias })
}
