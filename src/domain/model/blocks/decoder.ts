import type { GraphBuilder } from "../../graph/builder.ts"
import type { Ref } from "../../graph/graph.ts"
import type { Activation } from "../../ops/activation.ts"
import type { TensorNaming } from "../../weights/checkpoint.ts"
import { type ModelShape, modelShape } from "../architecture.ts"
import type { ConfigReader } from "../configReader.ts"
import { type RopeTable, readRope } from "../ropeScaling.ts"
import { readActivation } from "./activation.ts"
import { type AttentionShape, decoderCache, type RotaryAttention, rotaryAttention } from "./attention.ts"
import { gatedMlp } from "./mlp.ts"

/** What Llama and its kin share. */
export interface DecoderConfig {
  readonly vocabSize: number
  readonly hiddenSize: number
  readonly mlpWidth: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly eps: number
  readonly activation: Activation
  readonly rope: RopeTable
  readonly tied: boolean
  /** False: every token sees every other. */
  readonly causal: boolean
}

export const readDecoder = (
  r: ConfigReader,
  defaults?: { readonly headDim?: number; readonly ropeBase?: number }
): DecoderConfig => {
  const heads = r.int("num_attention_heads")
  const hiddenSize = r.int("hidden_size")
  const kvHeads = r.int("num_key_value_heads", heads)
  const headDim = r.int("head_dim", defaults?.headDim ?? Math.floor(hiddenSize / heads))
  r.expect(heads % kvHeads === 0, `num_attention_heads ${heads} is no multiple of num_key_value_heads ${kvHeads}.`)
  return {
    vocabSize: r.int("vocab_size"),
    hiddenSize,
    mlpWidth: r.int("intermediate_size"),
    layers: r.int("num_hidden_layers"),
    heads,
    kvHeads,
    headDim,
    eps: r.float("rms_norm_eps", 1e-6),
    activation: readActivation(r, "hidden_act", "silu"),
    rope: readRope(r, headDim, r.int("max_position_embeddings", 2048), defaults?.ropeBase),
    tied: r.bool("tie_word_embeddings", false),
    causal: r.bool("is_causal", true)
  }
}

const decoderShape = (c: DecoderConfig): ModelShape =>
  modelShape({ ...c, maxPositions: Math.floor(c.rope.maxPositions) })

/** Stored rotary frequencies are computed here; a tied head may be stored all the same. */
const decoderNaming = (c: DecoderConfig): TensorNaming => ({
  prefixes: [{ from: "model.", to: "" }],
  ignored: ["(^|\\.)rotary_emb\\.inv_freq$", ...(c.tied ? ["^lm_head\\.weight$"] : [])]
})

/** How the layers of one decoder attend; what its DecoderConfig says already is not said again. */
interface DecoderAttention extends Omit<RotaryAttention, keyof AttentionShape | "causal" | "window"> {
  /** Tokens that a query of this layer sees; 0: all. */
  readonly window: (layer: number) => number
  /** The window that the cache of all layers may forget by; 0: it keeps all. */
  readonly cacheWindow: number
}

/**
 * Embedding and layers of Llama and its kin: x + attention(norm(x)), then h + mlp(norm(h)), RMS norms, rotary positions,
 * gated MLPs.
 */
export const decoderLayers = (g: GraphBuilder, c: DecoderConfig, how: DecoderAttention, mlpBias = false): Ref => {
  const { window, cacheWindow, ...shared } = how
  const group = decoderCache(g, c, cacheWindow)
  const rotary = g.rotary("rotary frequencies", c.rope.frequency, c.rope.scale)
  let x = g.embed("model.embed_tokens", c.vocabSize, c.hiddenSize)
  for (let layer = 0; layer < c.layers; layer++) {
    const name = `model.layers.${layer}`
    const attention = { ...c, ...shared, window: window(layer) }
    const normed = g.rmsNorm(x, `${name}.input_layernorm`, c.eps)
    const h = g.add(x, rotaryAttention(g, normed, rotary, `${name}.self_attn`, group, layer, attention))
    const inner = g.rmsNorm(h, `${name}.post_attention_layernorm`, c.eps)
    x = g.add(h, gatedMlp(g, inner, `${name}.mlp`, c.mlpWidth, c.activation, mlpBias))
  }
  return x
}

/** What closes such a decoder, with its config and names. */
export const decoderFrame = {
  shape: decoderShape,
  naming: decoderNaming,
  norm: (g: GraphBuilder, x: Ref, c: DecoderConfig): Ref => g.rmsNorm(x, "model.norm", c.eps),
  head: (c: DecoderConfig): string => (c.tied ? "model.embed_tokens" : "lm_head")
}
