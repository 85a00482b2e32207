import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { defineArchitecture } from "./architecture.ts"
import { rotaryAttention } from "./blocks/attention.ts"
import { type DecoderConfig, decoder, decoderNaming, decoderShape, readDecoder } from "./blocks/decoder.ts"
import { gatedMlp } from "./blocks/mlp.ts"
import type { ConfigReader } from "./configReader.ts"

interface LlamaConfig extends DecoderConfig {
  readonly attentionBias: boolean
  readonly mlpBias: boolean
}

const config = (r: ConfigReader): LlamaConfig => ({
  ...readDecoder(r),
  attentionBias: r.bool("attention_bias", false),
  mlpBias: r.bool("mlp_bias", false)
})

const graph = (g: GraphBuilder, c: LlamaConfig): Ref => {
  const group = g.cacheGroup({
    layers: c.layers,
    kvHeads: c.kvHeads,
    keyDim: c.headDim,
    valueDim: c.headDim,
    window: 0
  })
  const attention = { ...c, qkvBias: c.attentionBias, outputBias: c.attentionBias, window: 0 }
  return decoder(g, c, (x, name, layer, rotary) => {
    const normed = g.rmsNorm(x, `${name}.input_layernorm`, c.eps)
    const h = g.add(x, rotaryAttention(g, normed, rotary, `${name}.self_attn`, group, layer, attention))
    const inner = g.rmsNorm(h, `${name}.post_attention_layernorm`, c.eps)
    return g.add(h, gatedMlp(g, inner, `${name}.mlp`, c.mlpWidth, c.activation, c.mlpBias))
  })
}

/** Touvron et al. 2023, Dubey et al. 2024: RMS norms before each sublayer, rotary positions, grouped queries, SwiGLU. */
export const llama = defineArchitecture({
  name: "LlamaForCausalLM",
  config,
  shape: decoderShape,
  naming: decoderNaming,
  graph
})
