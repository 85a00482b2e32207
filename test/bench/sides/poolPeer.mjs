import { AutoModel, env, mean_pooling, Tensor } from "@huggingface/transformers"
import { poolTexts } from "../lib/poolModel.mjs"

/** transformers.js over ONNX Runtime, on token ids: padded batches, mean over what is no padding, length 1. */
export const open = async ({ model, threads, dtype, batch }) => {
  env.allowRemoteModels = false
  env.localModelPath = ""
  const net = await AutoModel.from_pretrained(model.folder, {
    dtype,
    device: "cpu",
    local_files_only: true,
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1, graphOptimizationLevel: "all" }
  })
  const pad = BigInt(model.firstPosition === 0 ? 0 : 1)
  const embed = async (texts) => {
    const width = Math.max(...texts.map((text) => text.length))
    const dims = [texts.length, width]
    const ids = new BigInt64Array(texts.length * width).fill(pad)
    const mask = new BigInt64Array(texts.length * width)
    texts.forEach((text, row) => {
      text.forEach((id, at) => {
        ids[row * width + at] = BigInt(id)
        mask[row * width + at] = 1n
      })
    })
    const attention_mask = new Tensor("int64", mask, dims)
    const types = model.types > 1 ? { token_type_ids: new Tensor("int64", new BigInt64Array(ids.length), dims) } : {}
    const { last_hidden_state } = await net({ input_ids: new Tensor("int64", ids, dims), attention_mask, ...types })
    return mean_pooling(last_hidden_state, attention_mask).normalize(2, -1)
  }
  return {
    first: async ({ lengths }) => Array.from((await embed(poolTexts(model, lengths, 0).slice(0, 2)))[0].data),
    rate: async ({ lengths, salt }) => {
      const texts = poolTexts(model, lengths, salt)
      const start = performance.now()
      for (let at = 0; at < texts.length; at += batch) await embed(texts.slice(at, at + batch))
      return (texts.length * 1000) / (performance.now() - start)
    }
  }
}
