import type { GraphBuilder } from "../graph/builder.ts"
import type { GraphHead, Ref } from "../graph/graph.ts"
import type { Activation } from "../ops/activation.ts"
import type { PoolerChoice } from "../pooling/choice.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import { type Architecture, defineArchitecture, type ModelShape } from "./architecture.ts"
import { readActivation } from "./blocks/activation.ts"
import { encoderShape } from "./blocks/encoder.ts"
import { classifyHead, embedHead, readLabels } from "./blocks/pooler.ts"
import { ConfigReader, type Json } from "./configReader.ts"
import { type RopeTable, readRope } from "./ropeScaling.ts"

interface ModernBertConfig extends ModelShape {
  readonly mlpWidth: number
  readonly activation: Activation
  readonly eps: number
  readonly attentionBias: boolean
  readonly mlpBias: boolean
  readonly normBias: boolean
  /** How far a token sees in a local layer, to either side. */
  readonly reach: number
  readonly isGlobal: (layer: number) => boolean
  readonly globalRope: RopeTable
  readonly localRope: RopeTable
  readonly labels: number
  readonly headActivation: Activation
  readonly headBias: boolean
  readonly pooling: "CLS" | "MEAN"
}

/** Rotary frequencies of one kind of layer: a key of its own (transformers 4) or an entry of `rope_parameters` (5). */
const rope = (r: ConfigReader, kind: string, key: string, base: number, dim: number, positions: number): RopeTable => {
  const listed = r.object("rope_parameters")?.[kind] as Json | undefined
  const theta = { rope_theta: r.float(key, base) }
  const reader = new ConfigReader(listed === undefined ? theta : { rope_parameters: listed })
  const table = readRope(reader, dim, positions, base)
  for (const problem of reader.problems) r.expect(false, `${kind}: ${problem}`)
  return table
}

const config = (r: ConfigReader): ModernBertConfig => {
  const hiddenSize = r.int("hidden_size")
  const heads = r.int("num_attention_heads")
  const headDim = Math.floor(hiddenSize / heads)
  const maxPositions = r.int("max_position_embeddings", 8192)
  const every = r.int("global_attn_every_n_layers", 3)
  const types = r.given("layer_types")
  r.expect(hiddenSize % heads === 0, `hidden_size ${hiddenSize} is no multiple of num_attention_heads ${heads}.`)
  return {
    vocabSize: r.int("vocab_size"),
    maxPositions,
    layers: r.int("num_hidden_layers"),
    hiddenSize,
    heads,
    kvHeads: heads,
    headDim,
    mlpWidth: r.int("intermediate_size"),
    activation: readActivation(r, "hidden_activation", "gelu"),
    eps: r.float("norm_eps", 1e-5),
    attentionBias: r.bool("attention_bias", false),
    mlpBias: r.bool("mlp_bias", false),
    normBias: r.bool("norm_bias", false),
    reach: Math.floor(r.int("local_attention", 128) / 2),
    isGlobal: (layer) => (Array.isArray(types) ? types[layer] === "full_attention" : layer % every === 0),
    globalRope: rope(r, "full_attention", "global_rope_theta", 160000, headDim, maxPositions),
    localRope: rope(r, "sliding_attention", "local_rope_theta", 10000, headDim, maxPositions),
    labels: readLabels(r),
    headActivation: readActivation(r, "classifier_activation", "gelu"),
    headBias: r.bool("classifier_bias", false),
    pooling: r.choice("classifier_pooling", ["cls", "mean"], "cls") === "mean" ? "MEAN" : "CLS"
  }
}

const attention = (g: GraphBuilder, x: Ref, name: string, rotary: Ref, reach: number, c: ModernBertConfig): Ref => {
  const H = c.hiddenSize
  const qkv = g.linear(x, `${name}.Wqkv`, 3 * H, { bias: c.attentionBias })
  const q = g.rope(g.slice(qkv, 0, H), rotary, c.heads)
  const k = g.rope(g.slice(qkv, H, H), rotary, c.heads)
  const y = g.attendAll(q, k, g.slice(qkv, 2 * H, H), c, { scale: 1 / Math.sqrt(c.headDim), reach })
  return g.linear(y, `${name}.Wo`, H, { bias: c.attentionBias })
}

/** Wi gives input and gate side by side: the activation is the input's. */
const mlp = (g: GraphBuilder, x: Ref, name: string, c: ModernBertConfig): Ref => {
  const both = g.linear(x, `${name}.Wi`, 2 * c.mlpWidth, { bias: c.mlpBias })
  const inner = g.gated(g.slice(both, 0, c.mlpWidth), g.slice(both, c.mlpWidth, c.mlpWidth), c.activation)
  return g.linear(inner, `${name}.Wo`, c.hiddenSize, { bias: c.mlpBias })
}

const hiddenStates = (g: GraphBuilder, c: ModernBertConfig): Ref => {
  const norm = (y: Ref, name: string) => g.layerNorm(y, name, c.eps, true, c.normBias)
  const globalRotary = g.rotary("global rotary frequencies", c.globalRope.frequency, c.globalRope.scale)
  const localRotary = g.rotary("local rotary frequencies", c.localRope.frequency, c.localRope.scale)
  let x = norm(g.embed("model.embeddings.tok_embeddings", c.vocabSize, c.hiddenSize), "model.embeddings.norm")
  for (let layer = 0; layer < c.layers; layer++) {
    const name = `model.layers.${layer}`
    const everywhere = c.isGlobal(layer)
    const normed = layer === 0 ? x : norm(x, `${name}.attn_norm`)
    const rotary = everywhere ? globalRotary : localRotary
    const h = g.add(x, attention(g, normed, `${name}.attn`, rotary, everywhere ? 0 : c.reach, c))
    x = g.add(h, mlp(g, norm(h, `${name}.mlp_norm`), `${name}.mlp`, c))
  }
  return norm(x, "model.final_norm")
}

const embed = (g: GraphBuilder, c: ModernBertConfig, choice: PoolerChoice): GraphHead =>
  embedHead(g, hiddenStates(g, c), choice, "CLS")

const classify = (g: GraphBuilder, c: ModernBertConfig, choice: PoolerChoice): GraphHead =>
  classifyHead(g, hiddenStates(g, c), choice, c.pooling, (rows) => {
    const dense = g.linear(rows, "head.dense", c.hiddenSize, { bias: c.headBias })
    const inner = g.layerNorm(g.activation(dense, c.headActivation), "head.norm", c.eps, true, c.normBias)
    return g.linear(inner, "classifier", c.labels, { bias: true })
  })

/** An embedding has no use for the head of pretraining. */
const naming = (embeds: boolean) => (): TensorNaming => ({
  prefixes: [{ from: "model.", to: "" }],
  ignored: ["^decoder\\.(weight|bias)$", ...(embeds ? ["^head\\.", "^classifier\\."] : [])]
})

const shared = { config, shape: encoderShape }

/** Warner et al. 2024: rotary positions, local layers between global ones, norms before sublayers, GeGLU, few biases. */
export const modernbertPoolers: ReadonlyArray<Architecture> = [
  defineArchitecture({ ...shared, name: "ModernBertModel", naming: naming(true), graph: embed }),
  defineArchitecture({ ...shared, name: "ModernBertForMaskedLM", naming: naming(true), graph: embed }),
  defineArchitecture({ ...shared, name: "ModernBertForSequenceClassification", naming: naming(false), graph: classify })
]
