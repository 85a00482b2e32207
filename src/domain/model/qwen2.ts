import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { decoderCache, rotaryAttention } from "./blocks/attention.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
import { readLayerWindows, sharedWindow } from "./blocks/layerWindows.ts"
import { gatedMlp } from "./blocks/mlp.ts"
import type { ConfigReader } from "./configReader.ts"

interface Qwen2Config extends DecoderConfig {
  readonly windows: ReadonlyArray<number>
}

const config = (r: ConfigReader): Qwen2Config => {
  const decoderConfig = readDecoder(r)
  return { ...decoderConfig, windows: readLayerWindows(r, decoderConfig.layers) }
}

const layers = (g: GraphBuilder, c: Qwen2Config): Ref => {
  const group = decoderCache(g, c, sharedWindow(c.windows))
  return decoderLayers(g, c, (x, name, layer, rotary) => {
    const attention = { ...c, qkvBias: true, outputBias: false, window: c.windows[layer]! }
    const normed = g.rmsNorm(x, `${name}.input_layernorm`, c.eps)
    const h = g.add(x, rotaryAttention(g, normed, rotary, `${name}.self_attn`, group, layer, attention))
    const inner = g.rmsNorm(h, `${name}.post_attention_layernorm`, c.eps)
    return g.add(h, gatedMlp(g, inner, `${name}.mlp`, c.mlpWidth, c.activation))
  })
}

/** Yang et al. 2024: Llama with biases on q, k and v, and a window in the upper layers when asked for. */
const family = defineDecoder({
  ...decoderFrame,
  names: {
    generate: "Qwen2ForCausalLM",
    embed: "Qwen2Model",
    classify: "Qwen2ForSequenceClassification",
    reward: "Qwen2ForRewardModel",
    processReward: "Qwen2ForProcessRewardModel"
  },
  config,
  layers
})

export const qwen2 = family.generate
export const qwen2Poolers = family.poolers
