import { getLlama } from "node-llama-cpp"
import { promptIds } from "../lib/prompts.mjs"

/** node-llama-cpp through its own API, on token ids. */
export const open = async ({ pair, threads }) => {
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" })
  const model = await llama.loadModel({ modelPath: pair.gguf })
  let context
  const sequences = async (count, contextSize) => {
    await context?.dispose()
    context = await model.createContext({ sequences: count, contextSize, batchSize: 512, threads })
    return Array.from({ length: count }, () => context.getSequence())
  }
  const run = async (sequence, prompt, newTokens) => {
    const times = []
    for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      times.push(performance.now())
      if (times.length >= newTokens) break
    }
    return times
  }
  return {
    /** Times (ms) of every token of `count` concurrent streams. */
    streams: async ({ count, promptTokens, newTokens }) => {
      const lanes = await sequences(count, promptTokens + newTokens + 8)
      return Promise.all(lanes.map((lane, i) => run(lane, promptIds(promptTokens, i, pair.vocab), newTokens)))
    },
    /** Milliseconds to evaluate a prompt, sampling left out. */
    prefill: async ({ promptTokens, salt }) => {
      const [lane] = await sequences(1, promptTokens + 8)
      const start = performance.now()
      await lane.evaluateWithoutGeneratingNewTokens(promptIds(promptTokens, salt, pair.vocab))
      return performance.now() - start
    }
  }
}
