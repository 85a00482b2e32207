import type { GraphBuilder } from "../graph/builder.ts"
import type { GraphHead, Ref } from "../graph/graph.ts"
import type { Activation } from "../ops/activation.ts"
import type { PoolerChoice } from "../pooling/choice.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import { type Architecture, defineArchitecture, type ModelShape } from "./architecture.ts"
import { readActivation } from "./blocks/activation.ts"
import { encoderShape } from "./blocks/encoder.ts"
import { classifyHead, embedHead, readLabels } from "./blocks/pooler.ts"
import type { ConfigReader } from "./configReader.ts"

const eps = 1e-12
const bias = { bias: true }

interface DistilBertConfig extends ModelShape {
  readonly mlpWidth: number
  readonly activation: Activation
  readonly labels: number
}

const config = (r: ConfigReader): DistilBertConfig => {
  const hiddenSize = r.int(["dim", "hidden_size"])
  const heads = r.int(["n_heads", "num_attention_heads"])
  r.expect(hiddenSize % heads === 0, `dim ${hiddenSize} is no multiple of n_heads ${heads}.`)
  return {
    vocabSize: r.int("vocab_size"),
    maxPositions: r.int("max_position_embeddings", 512),
    layers: r.int(["n_layers", "num_hidden_layers"]),
    hiddenSize,
    heads,
    kvHeads: heads,
    headDim: Math.floor(hiddenSize / heads),
    mlpWidth: r.int("hidden_dim", 4 * hiddenSize),
    activation: readActivation(r, "activation", "gelu"),
    labels: readLabels(r)
  }
}

const embeddings = (g: GraphBuilder, c: DistilBertConfig): Ref => {
  const name = "distilbert.embeddings"
  const words = g.embed(`${name}.word_embeddings`, c.vocabSize, c.hiddenSize)
  const positions = g.embed(`${name}.position_embeddings`, c.maxPositions, c.hiddenSize, { source: "positions" })
  return g.layerNorm(g.add(words, positions), `${name}.LayerNorm`, eps)
}

const block = (g: GraphBuilder, x: Ref, name: string, c: DistilBertConfig): Ref => {
  const H = c.hiddenSize
  const q = g.linear(x, `${name}.attention.q_lin`, H, bias)
  const k = g.linear(x, `${name}.attention.k_lin`, H, bias)
  const v = g.linear(x, `${name}.attention.v_lin`, H, bias)
  const y = g.attendAll(q, k, v, c, { scale: 1 / Math.sqrt(c.headDim), reach: 0 })
  const attended = g.linear(y, `${name}.attention.out_lin`, H, bias)
  const h = g.layerNorm(g.add(x, attended), `${name}.sa_layer_norm`, eps)
  const inner = g.activation(g.linear(h, `${name}.ffn.lin1`, c.mlpWidth, bias), c.activation)
  return g.layerNorm(g.add(h, g.linear(inner, `${name}.ffn.lin2`, H, bias)), `${name}.output_layer_norm`, eps)
}

const hiddenStates = (g: GraphBuilder, c: DistilBertConfig): Ref => {
  let x = embeddings(g, c)
  for (let layer = 0; layer < c.layers; layer++) x = block(g, x, `distilbert.transformer.layer.${layer}`, c)
  return x
}

const embed = (g: GraphBuilder, c: DistilBertConfig, choice: PoolerChoice): GraphHead =>
  embedHead(g, hiddenStates(g, c), choice, "CLS")

const classify = (g: GraphBuilder, c: DistilBertConfig, choice: PoolerChoice): GraphHead =>
  classifyHead(g, hiddenStates(g, c), choice, "CLS", (rows) => {
    const inner = g.activation(g.linear(rows, "pre_classifier", c.hiddenSize, bias), "relu")
    return g.linear(inner, "classifier", c.labels, bias)
  })

/** Buffers, and the head of pretraining. */
const naming: TensorNaming = {
  prefixes: [{ from: "distilbert.", to: "" }],
  ignored: ["(^|\\.)embeddings\\.position_ids$", "^vocab_(transform|layer_norm|projector)\\."]
}

const shared = { config, shape: encoderShape, naming: () => naming }

/** Sanh et al. 2019: BERT with half the layers and no token types. */
export const distilbertPoolers: ReadonlyArray<Architecture> = [
  defineArchitecture({ ...shared, name: "DistilBertModel", graph: embed }),
  defineArchitecture({ ...shared, name: "DistilBertForMaskedLM", graph: embed }),
  defineArchitecture({ ...shared, name: "DistilBertForSequenceClassification", graph: classify })
]
