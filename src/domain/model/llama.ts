import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { decoderCache, rotaryAttention } from "./blocks/attention.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
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

const layers = (g: GraphBuilder, c: LlamaConfig): Ref => {
  const group = decoderCache(g, c, 0)
  const attention = { ...c, qkvBias: c.attentionBias, outputBias: c.attentionBias, window: 0 }
  return decoderLayers(g, c, (x, name, layer, rotary) => {
    const normed = g.rmsNorm(x, `${name}.input_layernorm`, c.eps)
    const h = g.add(x, rotaryAttention(g, normed, rotary, `${name}.self_attn`, group, layer, attention))
    const inner = g.rmsNorm(h, `${name}.post_attention_layernorm`, c.eps)
    return g.add(h, gatedMlp(g, inner, `${name}.mlp`, c.mlpWidth, c.activation, c.mlpBias))
  })
}

/** Touvron et al. 2023, Dubey et al. 2024: RMS norms before each sublayer, rotary positions, grouped queries, SwiGLU. */
const family = defineDecoder({
  ...decoderFrame,
  names: {
    generate: "LlamaForCausalLM",
    embed: "LlamaModel",
    classify: "LlamaForSequenceClassification"
  },
  config,
  layers
})

export const llama = family.generate
export const llamaPoolers = family.poolers
