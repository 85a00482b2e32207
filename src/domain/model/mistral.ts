import type { GraphBuilder } from "../graph/builder.ts"
import type { Ref } from "../graph/graph.ts"
import { type DecoderConfig, decoderFrame, decoderLayers, readDecoder } from "./blocks/decoder.ts"
import { defineDecoder } from "./blocks/family.ts"
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

const layers = (g: GraphBuilder, c: MistralConfig): Ref =>
  decoderLayers(g, c, { qkvBias: false, outputBias: false, window: () => c.window, cacheWindow: c.window })

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
