import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
import { readLayerWindows, sharedWindow } from "./blocks/layerWindows.ts"
import type { ConfigReader } from "./configReader.ts"

interface Qwen3Config extends DecoderConfig {
  readonly attentionBias: boolean
  readonly windows: ReadonlyArray<number>
}

const config = (r: ConfigReader): Qwen3Config => {
  const decoderConfig = readDecoder(r, { headDim: 128 })
  return {
    ...decoderConfig,
    attentionBias: r.bool("attention_bias", false),
    windows: readLayerWindows(r, decoderConfig.layers)
  }
}

const layers = (g: GraphBuilder, c: Qwen3Config): Ref => {
  const { attentionBias: qkvBias, attentionBias: outputBias, eps: qkNormEps } = c
  const window = (layer: number) => c.windows[layer]!
  return decoderLayers(g, c, { qkvBias, outputBias, qkNormEps, window, cacheWindow: sharedWindow(c.windows) })
}

/** Qwen team 2025: an RMS norm on every head of q and k before they turn, heads of a width of their own. */
const family = defineDecoder({
  ...decoderFrame,
  names: {
    generate: "Qwen3ForCausalLM",
    embed: "Qwen3Model",
    classify: "Qwen3ForSequenceClassification"
  },
  config,
  layers
})

export const qwen3 = family.generate
export const qwen3Poolers = family.poolers
