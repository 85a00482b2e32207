import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
import { readLayerWindows, sharedWindow } from "./blocks/layerWindows.ts"
import type { ConfigReader } from "./configReader.ts"

interface Qwen2Config extends DecoderConfig {
  readonly windows: ReadonlyArray<number>
}

const config = (r: ConfigReader): Qwen2Config => {
  const decoderConfig = readDecoder(r)
  return { ...decoderConfig, windows: readLayerWindows(r, decoderConfig.layers) }
}

const layers = (g: GraphBuilder, c: Qwen2Config): Ref => {
  const window = (layer: number) => c.windows[layer]!
  return decoderLayers(g, c, { qkvBias: true, outputBias: false, window, cacheWindow: sharedWindow(c.windows) })
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
