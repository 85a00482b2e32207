import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import type { Activation } from "../ops/activation.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import { type ModelShape, modelShape } from "./architecture.ts"
import { readActivation } from "./blocks/activation.ts"
import { defineDecoder } from "./blocks/family.ts"
import type { ConfigReader } from "./configReader.ts"

const root = "model.decoder"
/** The table of positions begins with two rows that no position uses. */
const positionOffset = 2
const eps = 1e-5

interface OptConfig extends ModelShape {
  readonly embeddingSize: number
  readonly mlpWidth: number
  readonly activation: Activation
  readonly normBefore: boolean
  readonly finalNorm: boolean
  readonly bias: boolean
  readonly affine: boolean
  readonly tied: boolean
}

const config = (r: ConfigReader): OptConfig => {
  const hiddenSize = r.int("hidden_size")
  const heads = r.int("num_attention_heads")
  const normBefore = r.bool("do_layer_norm_before", true)
  const removed = r.bool("_remove_final_layer_norm", false)
  r.expect(hiddenSize % heads === 0, `hidden_size ${hiddenSize} is no multiple of num_attention_heads ${heads}.`)
  return {
    vocabSize: r.int("vocab_size"),
    maxPositions: r.int("max_position_embeddings", 2048),
    layers: r.int("num_hidden_layers"),
    hiddenSize,
    heads,
    kvHeads: heads,
    headDim: Math.floor(hiddenSize / heads),
    embeddingSize: r.int("word_embed_proj_dim", hiddenSize),
    mlpWidth: r.int("ffn_dim"),
    activation: readActivation(r, "activation_function", "relu"),
    normBefore,
    finalNorm: normBefore && !removed,
    bias: r.bool("enable_bias", true),
    affine: r.bool("layer_norm_elementwise_affine", true),
    tied: r.bool("tie_word_embeddings", true)
  }
}

const attention = (g: GraphBuilder, x: Ref, name: string, group: number, layer: number, c: OptConfig): Ref => {
  const bias = { bias: c.bias }
  const q = g.linear(x, `${name}.q_proj`, c.hiddenSize, bias)
  const k = g.linear(x, `${name}.k_proj`, c.hiddenSize, bias)
  const v = g.linear(x, `${name}.v_proj`, c.hiddenSize, bias)
  const y = g.attend(q, k, v, { ...c, group, layer }, { scale: 1 / Math.sqrt(c.headDim), window: 0 })
  return g.linear(y, `${name}.out_proj`, c.hiddenSize, bias)
}

const mlp = (g: GraphBuilder, x: Ref, name: string, c: OptConfig): Ref => {
  const inner = g.activation(g.linear(x, `${name}.fc1`, c.mlpWidth, { bias: c.bias }), c.activation)
  return g.linear(inner, `${name}.fc2`, c.hiddenSize, { bias: c.bias })
}

/** Norm before each sublayer, or, in the 350m model, after each sum. */
const block = (g: GraphBuilder, x: Ref, name: string, group: number, layer: number, c: OptConfig): Ref => {
  const before = (y: Ref, norm: string) => (c.normBefore ? g.layerNorm(y, `${name}.${norm}`, eps, c.affine) : y)
  const after = (y: Ref, norm: string) => (c.normBefore ? y : g.layerNorm(y, `${name}.${norm}`, eps, c.affine))
  const attended = attention(g, before(x, "self_attn_layer_norm"), `${name}.self_attn`, group, layer, c)
  const h = after(g.add(x, attended), "self_attn_layer_norm")
  return after(g.add(h, mlp(g, before(h, "final_layer_norm"), name, c)), "final_layer_norm")
}

const layerStack = (g: GraphBuilder, c: OptConfig): Ref => {
  const { layers, kvHeads, headDim, hiddenSize, embeddingSize } = c
  const projected = embeddingSize !== hiddenSize
  const group = g.cacheGroup({ layers, kvHeads, keyDim: headDim, valueDim: headDim, window: 0 })
  const words = g.embed(`${root}.embed_tokens`, c.vocabSize, embeddingSize)
  const positions = g.embed(`${root}.embed_positions`, c.maxPositions + positionOffset, hiddenSize, {
    source: "positions",
    offset: positionOffset
  })
  let x = g.add(projected ? g.linear(words, `${root}.project_in`, hiddenSize) : words, positions)
  for (let layer = 0; layer < layers; layer++) x = block(g, x, `${root}.layers.${layer}`, group, layer, c)
  return x
}

/** The final norm, where there is one, and the way back to the embedding's width. */
const norm = (g: GraphBuilder, x: Ref, c: OptConfig): Ref => {
  const normed = c.finalNorm ? g.layerNorm(x, `${root}.final_layer_norm`, eps, c.affine) : x
  return c.embeddingSize === c.hiddenSize ? normed : g.linear(normed, `${root}.project_out`, c.embeddingSize)
}

/** Checkpoints say `model.decoder.` or `decoder.`, and some hold a copy of the tied head. */
const naming = (c: OptConfig): TensorNaming => ({
  prefixes: [{ from: "model.", to: "" }],
  ignored: c.tied ? ["^lm_head\\.weight$"] : []
})

/** Zhang et al. 2022: learned positions, layer norms, biases, ReLU. */
const family = defineDecoder({
  names: { generate: "OPTForCausalLM", embed: "OPTModel", classify: "OPTForSequenceClassification" },
  config,
  shape: modelShape,
  naming,
  layers: layerStack,
  norm,
  head: (c) => (c.tied ? `${root}.embed_tokens` : "lm_head")
})

export const opt = family.generate
export const optPoolers = family.poolers
