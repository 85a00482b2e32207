import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import type { Activation } from "../ops/activation.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import { type ModelShape, modelShape } from "./architecture.ts"
import { readActivation } from "./blocks/activation.ts"
import { defineDecoder } from "./blocks/family.ts"
import type { ConfigReader } from "./configReader.ts"

interface Gpt2Config extends ModelShape {
  readonly mlpWidth: number
  readonly activation: Activation
  readonly eps: number
  readonly tied: boolean
  /** Attention's scale in a layer. */
  readonly scale: (layer: number) => number
}

const config = (r: ConfigReader): Gpt2Config => {
  const hiddenSize = r.int(["n_embd", "hidden_size"])
  const heads = r.int(["n_head", "num_attention_heads"])
  const headDim = Math.floor(hiddenSize / heads)
  const byWidth = r.bool("scale_attn_weights", true) ? 1 / Math.sqrt(headDim) : 1
  const byLayer = r.bool("scale_attn_by_inverse_layer_idx", false)
  r.expect(hiddenSize % heads === 0, `n_embd ${hiddenSize} is no multiple of n_head ${heads}.`)
  return {
    vocabSize: r.int("vocab_size"),
    maxPositions: r.int(["n_positions", "max_position_embeddings"], 1024),
    layers: r.int(["n_layer", "num_hidden_layers"]),
    hiddenSize,
    heads,
    kvHeads: heads,
    headDim,
    mlpWidth: r.int("n_inner", 4 * hiddenSize),
    activation: readActivation(r, "activation_function", "gelu_new"),
    eps: r.float("layer_norm_epsilon", 1e-5),
    tied: r.bool("tie_word_embeddings", true),
    scale: (layer) => (byLayer ? byWidth / (layer + 1) : byWidth)
  }
}

/** Conv1D, which is a linear whose weight is stored [in, out]. */
const stored = { bias: true, transposed: true }

const attention = (g: GraphBuilder, x: Ref, name: string, group: number, layer: number, c: Gpt2Config): Ref => {
  const H = c.hiddenSize
  const qkv = g.linear(x, `${name}.c_attn`, 3 * H, stored)
  const [q, k, v] = [g.slice(qkv, 0, H), g.slice(qkv, H, H), g.slice(qkv, 2 * H, H)]
  const y = g.attend(q, k, v, { ...c, group, layer }, { scale: c.scale(layer), window: 0 })
  return g.linear(y, `${name}.c_proj`, H, stored)
}

const block = (g: GraphBuilder, x: Ref, name: string, group: number, layer: number, c: Gpt2Config): Ref => {
  const h = g.add(x, attention(g, g.layerNorm(x, `${name}.ln_1`, c.eps), `${name}.attn`, group, layer, c))
  const inner = g.linear(g.layerNorm(h, `${name}.ln_2`, c.eps), `${name}.mlp.c_fc`, c.mlpWidth, stored)
  return g.add(h, g.linear(g.activation(inner, c.activation), `${name}.mlp.c_proj`, c.hiddenSize, stored))
}

const layerStack = (g: GraphBuilder, c: Gpt2Config): Ref => {
  const { layers, kvHeads, headDim } = c
  const group = g.cacheGroup({ layers, kvHeads, keyDim: headDim, valueDim: headDim, window: 0 })
  const words = g.embed("transformer.wte", c.vocabSize, c.hiddenSize)
  let x = g.add(words, g.embed("transformer.wpe", c.maxPositions, c.hiddenSize, { source: "positions" }))
  for (let layer = 0; layer < layers; layer++) x = block(g, x, `transformer.h.${layer}`, group, layer, c)
  return x
}

/** Checkpoints come with or without `transformer.`; masks are buffers, and some hold a copy of the tied head. */
const naming = (c: Gpt2Config): TensorNaming => ({
  prefixes: [{ from: "transformer.", to: "" }],
  ignored: ["(^|\\.)h\\.\\d+\\.attn\\.(bias|masked_bias)$", ...(c.tied ? ["^lm_head\\.weight$"] : [])]
})

/** Radford et al. 2019: learned positions, layer norms before each sublayer, GELU, one matrix for q, k and v. */
const family = defineDecoder({
  names: { generate: "GPT2LMHeadModel", embed: "GPT2Model", classify: "GPT2ForSequenceClassification" },
  config,
  shape: modelShape,
  naming,
  layers: layerStack,
  norm: (g, x, c) => g.layerNorm(x, "transformer.ln_f", c.eps),
  head: (c) => (c.tied ? "transformer.wte" : "lm_head")
})

export const gpt2 = family.generate
export const gpt2Poolers = family.poolers
