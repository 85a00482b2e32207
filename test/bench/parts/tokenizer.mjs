import { needDist } from "../lib/places.mjs"

/** The tokenizer's own script, on Brook's byte-level BPE. */
export const tokenizer = async () => {
  needDist("layers", "Tokenizer.js")
  const { brook, tokenizerBench } = await import("../tokenizer.mjs")
  const { tokenizer: _, ...figures } = await tokenizerBench(brook)
  return {
    workload: "1 MB of prose made of the licence's words, Brook's byte-level BPE",
    figures,
    goals: { encode: ">= 2 M tokens/s" }
  }
}
