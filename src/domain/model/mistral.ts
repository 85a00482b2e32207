import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { decoderCache, rotaryAttention } from "./blocks/attention.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
import { gatedMlp } from "./blocks/mlp.ts"
import type { ConfigReader } from "./configReader.ts"

interface MistralConfig extends DecoderConfig {
  /** Tokens that a query sees, itself included; 0: all. */
  readonly window: number
}

/** An absent window is the family's 4096; null says there is none. */
const config = (r: ConfigReader): MistralConfig => ({
  ...readDecoder(r),
  window: r.json.sliding_window === null ? 0 : r.int("sliding_window", 4096)
})

const layers = (g: GraphBuilder, c: MistralConfig): Ref => {
  const group = decoderCache(g, c, c.window)
  const attention = { ...c, qkvBias: false, outputBias: false }
  return decoderLayers(g, c, (x, name, layer, rotary) => {
    const normed = g.rmsNorm(x, `${name}.input_layernorm`, c.eps)
    const h = g.add(x, rotaryAttention(g, normed, rotary, `${name}.self_attn`, group, layer, attention))
    const inner = g.rmsNorm(h, `${name}.post_attention_layernorm`, c.eps)
    return g.add(h, gatedMlp(g, inner, `${name}.mlp`, c.mlpWidth, c.activation))
  })
}

/** Jiang et al. 2023: Llama with a sliding window in every layer. */
const family = defineDecoder({
  ...decoderFrame,
  names: {
    generate: "MistralForCausalLM",
    embed: "MistralModel",
    classify: "MistralForSequenceClassification"
  },
  config,
  layers
})

export const mistral = family.generate
export const mistralPoolers = family.poolers
