import { pathToFileURL } from "node:url"
import { needDist } from "../lib/places.mjs"
import { promptIds } from "../lib/prompts.mjs"

/** Millrace through its promise facade, on token ids. */
export const open = async ({ pair, threads, engine = {} }) => {
  const { LLM } = await import(pathToFileURL(needDist()).href)
  const llm = await LLM.create({
    model: pair.hf,
    skipTokenizerInit: true,
    device: "cpu",
    numThreads: threads,
    maxModelLen: 1024,
    maxNumSeqs: 32,
    enablePrefixCaching: false,
    ...engine
  })
  const run = async (prompt, newTokens) => {
    const times = []
    const params = { temperature: 0, maxTokens: newTokens, ignoreEos: true, detokenize: false, outputKind: "delta" }
    for await (const delta of llm.stream({ promptTokenIds: prompt }, params))
      for (const _ of delta.tokenIds) times.push(performance.now())
    return times
  }
  return {
    streams: ({ count, promptTokens, newTokens }) =>
      Promise.all(Array.from({ length: count }, (_, i) => run(promptIds(promptTokens, i, pair.vocab), newTokens))),
    /** To the first token: its head and its draw are counted in. */
    prefill: async ({ promptTokens, salt }) => {
      const start = performance.now()
      const [first] = await run(promptIds(promptTokens, salt, pair.vocab), 1)
      return first - start
    },
    memory: () => ({ rss: process.memoryUsage().rss, metrics: llm.getMetrics() })
  }
}
