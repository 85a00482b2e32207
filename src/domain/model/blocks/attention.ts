import type { GraphBuilder } from "../../graph/builder.ts"
import type { Ref } from "../../graph/graph.ts"

/** Heads of one attention block and the cache that its layer writes. */
export interface AttentionShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** False: every token sees every other, and no layer has a cache. */
  readonly causal: boolean
}

/** The cache of all layers, which forgets by `window`; none where every token sees every other. */
export const decoderCache = (
  g: GraphBuilder,
  c: AttentionShape & { readonly layers: number },
  window: number
): number =>
  c.causal ? g.cacheGroup({ layers: c.layers, kvHeads: c.kvHeads, keyDim: c.headDim, valueDim: c.headDim, window }) : -1

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
  const turned = [g.rope(qn, rotary, a.heads), g.rope(kn, rotary, a.kvHeads)] as const
  const scale = 1 / Math.sqrt(a.headDim)
  const y = a.causal
    ? g.attend(...turned, v, { ...a, group, layer }, { scale, window: a.window })
    : g.attendAll(...turned, v, a, { scale, reach: Math.floor(a.window / 2) })
  return g.linear(y, `${name}.o_proj`, x.columns, { bias: a.outputBias })
}
