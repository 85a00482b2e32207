import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { round } from "../lib/numbers.mjs"
import { needDist, root } from "../lib/places.mjs"

const replies = 8
const promptTokens = 200
const maxTokens = 64
const prompt = Array.from({ length: promptTokens }, (_, i) => 3 + ((i * 31) % 900))

/** The most blocks that were held at once while `work` ran: looked at in every turn of the event loop. */
const peakOf = async (llm, work) => {
  let peak = 0
  let running = true
  const watch = async () => {
    while (running) {
      const { kvBlocksTotal, kvBlocksFree } = await llm.getMetrics()
      peak = Math.max(peak, kvBlocksTotal - kvBlocksFree)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const watched = watch()
  await work()
  running = false
  await watched
  return peak
}

/** KV blocks of several replies to one prompt: forks of it against copies of it. Counts, not times. */
export const forks = async () => {
  const { BeamSearchParams, LLM } = await import(pathToFileURL(needDist()).href)
  // Without prefix caching, so that what is shared is shared by forking alone.
  const options = { maxModelLen: 512, maxNumSeqs: 16, enablePrefixCaching: false }
  const llm = await LLM.create({ model: join(root, "models", "brook"), device: "cpu", ...options })
  const params = { temperature: 1, seed: 1, maxTokens, ignoreEos: true }
  const copies = await peakOf(llm, () => llm.generate(Array(replies).fill(prompt), params))
  const n = await peakOf(llm, () => llm.generate([prompt], { ...params, n: replies }))
  const wide = new BeamSearchParams({ beamWidth: replies, maxTokens, ignoreEos: true })
  const beams = await peakOf(llm, () => llm.generate([prompt], wide))
  await llm.close()
  return {
    workload: `Brook on the CPU; a prompt of ${promptTokens} tokens, ${replies} replies of ${maxTokens}; blocks of ${llm.model.blockSize} tokens; no prefix caching; the most blocks held at once`,
    figures: {
      [`${replies} copies: blocks`]: copies,
      [`n ${replies}: blocks`]: n,
      [`beam width ${replies}: blocks`]: beams,
      [`n ${replies}: share of the copies'`]: round(n / copies, 2),
      [`beam width ${replies}: share of the copies'`]: round(beams / copies, 2)
    },
    goals: { [`n ${replies}: blocks`]: `< ${copies}`, [`beam width ${replies}: blocks`]: `< ${copies}` }
  }
}
