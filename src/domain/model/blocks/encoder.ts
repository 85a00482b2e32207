import type { GraphBuilder } from "../../graph/builder.ts"
import type { Ref } from "../../graph/graph.ts"
import type { Activation } from "../../ops/activation.ts"
import type { ModelShape } from "../architecture.ts"
import type { ConfigReader } from "../configReader.ts"
import { readActivation } from "./activation.ts"
import { readLabels } from "./pooler.ts"

/** What BERT and RoBERTa share. */
export interface EncoderConfig extends ModelShape {
  readonly mlpWidth: number
  readonly activation: Activation
  readonly eps: number
  /** Rows of the table of token types. */
  readonly types: number
  readonly labels: number
}

export const readEncoder = (r: ConfigReader): EncoderConfig => {
  const hiddenSize = r.int("hidden_size")
  const heads = r.int("num_attention_heads")
  r.expect(hiddenSize % heads === 0, `hidden_size ${hiddenSize} is no multiple of num_attention_heads ${heads}.`)
  r.choice("position_embedding_type", ["absolute"], "absolute")
  r.expect(!r.bool("is_decoder", false), "is_decoder is true; expected false: this family is served as an encoder.")
  return {
    vocabSize: r.int("vocab_size"),
    maxPositions: r.int("max_position_embeddings"),
    layers: r.int("num_hidden_layers"),
    hiddenSize,
    heads,
    kvHeads: heads,
    headDim: Math.floor(hiddenSize / heads),
    mlpWidth: r.int("intermediate_size"),
    activation: readActivation(r, "hidden_act", "gelu"),
    eps: r.float("layer_norm_eps", 1e-12),
    types: r.int("type_vocab_size", 2),
    labels: readLabels(r)
  }
}

export const encoderShape = (c: ModelShape): ModelShape => {
  const { vocabSize, maxPositions, layers, hiddenSize, heads, kvHeads, headDim } = c
  return { vocabSize, maxPositions, layers, hiddenSize, heads, kvHeads, headDim }
}

/** Words, positions from `offset` on and token types, summed and normalised. */
const embeddings = (g: GraphBuilder, root: string, c: EncoderConfig, offset: number): Ref => {
  const name = `${root}.embeddings`
  const words = g.embed(`${name}.word_embeddings`, c.vocabSize, c.hiddenSize)
  const types = g.embed(`${name}.token_type_embeddings`, c.types, c.hiddenSize, { source: "types" })
  const positions = g.embed(`${name}.position_embeddings`, c.maxPositions + offset, c.hiddenSize, {
    source: "positions",
    offset
  })
  return g.layerNorm(g.add(g.add(words, types), positions), `${name}.LayerNorm`, c.eps)
}

const attention = (g: GraphBuilder, x: Ref, name: string, c: EncoderConfig): Ref => {
  const q = g.linear(x, `${name}.self.query`, c.hiddenSize, { bias: true })
  const k = g.linear(x, `${name}.self.key`, c.hiddenSize, { bias: true })
  const v = g.linear(x, `${name}.self.value`, c.hiddenSize, { bias: true })
  const y = g.attendAll(q, k, v, c, { scale: 1 / Math.sqrt(c.headDim), reach: 0 })
  const out = g.linear(y, `${name}.output.dense`, c.hiddenSize, { bias: true })
  return g.layerNorm(g.add(x, out), `${name}.output.LayerNorm`, c.eps)
}

const layer = (g: GraphBuilder, x: Ref, name: string, c: EncoderConfig): Ref => {
  const h = attention(g, x, `${name}.attention`, c)
  const inner = g.activation(g.linear(h, `${name}.intermediate.dense`, c.mlpWidth, { bias: true }), c.activation)
  const out = g.linear(inner, `${name}.output.dense`, c.hiddenSize, { bias: true })
  return g.layerNorm(g.add(h, out), `${name}.output.LayerNorm`, c.eps)
}

/** All tokens' last hidden states: each sublayer is normalised with what it was added to. Tensors are named below `root`. */
export const encoder = (g: GraphBuilder, root: string, c: EncoderConfig, offset: number): Ref => {
  let x = embeddings(g, root, c, offset)
  for (let index = 0; index < c.layers; index++) x = layer(g, x, `${root}.encoder.layer.${index}`, c)
  return x
}
