import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
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
  const attention = { qkvBias: c.attentionBias, outputBias: c.attentionBias, window: () => 0, cacheWindow: 0 }
  return decoderLayers(g, c, attention, c.mlpBias)
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
