import { pathToFileURL } from "node:url"
import { needDist } from "../lib/places.mjs"
import { poolTexts } from "../lib/poolModel.mjs"

/** Millrace through its promise facade, on token ids: all texts at once. */
export const open = async ({ model, threads, dtype }) => {
  const { LLM } = await import(pathToFileURL(needDist()).href)
  const llm = await LLM.create({
    model: model.folder,
    device: "cpu",
    dtype,
    numThreads: threads,
    skipTokenizerInit: true,
    overridePoolerConfig: { poolingType: "MEAN" }
  })
  const embed = (texts) => llm.embed(texts.map((promptTokenIds) => ({ promptTokenIds })))
  return {
    first: async ({ lengths }) => (await embed(poolTexts(model, lengths, 0)))[0].outputs.embedding,
    /** Texts a second. */
    rate: async ({ lengths, salt }) => {
      const texts = poolTexts(model, lengths, salt)
      const start = performance.now()
      await embed(texts)
      return (texts.length * 1000) / (performance.now() - start)
    }
  }
}
