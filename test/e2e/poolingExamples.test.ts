import { describe, expect, it } from "vitest"
import { LLM, PoolingParams } from "../../src/index.ts"
import { distance, poolingFolder, poolingOptions, readPoolingGolden } from "../support/poolingGolden.ts"

// vLLM's page on pooling models, example by example, in TypeScript, on tiny stand-ins of the checkpoints it names.

describe("the examples of vLLM's page on pooling models", () => {
  it("LLM.encode: the hidden states of a reward model (Qwen/Qwen2.5-Math-RM-72B)", async () => {
    await using llm = await LLM.create({ model: poolingFolder("qwen2-reward"), task: "reward" })
    const [output] = await llm.encode("Hello, my name is")
    const { data } = output!.outputs
    expect(data).toHaveLength(output!.promptTokenIds.length)
    expect(data[0]).toHaveLength(1)
  })

  it("LLM.embed: an embedding (intfloat/e5-mistral-7b-instruct)", async () => {
    await using llm = await LLM.create({ model: poolingFolder("mistral-embed"), task: "embed" })
    const [output] = await llm.embed("Hello, my name is")
    const { embedding } = output!.outputs
    expect(embedding).toHaveLength(64)
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 6)
  })

  it("LLM.classify: probabilities (jason9693/Qwen2.5-1.5B-apeach)", async () => {
    await using llm = await LLM.create({ model: poolingFolder("qwen2-seqcls"), task: "classify" })
    const [output] = await llm.classify("Hello, my name is")
    const { probs } = output!.outputs
    expect(probs).toHaveLength(2)
    expect(probs.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
  })

  it("LLM.score: a reranker (BAAI/bge-reranker-v2-m3)", async () => {
    await using llm = await LLM.create({ model: poolingFolder("xlm-roberta-reranker"), task: "score" })
    const [output] = await llm.score("What is the capital of the country?", "The capital is a city.")
    const { score } = output!.outputs
    const [golden] = readPoolingGolden("xlm-roberta-reranker").cases
    expect(Math.abs(score - golden!.score!)).toBeLessThanOrEqual(1e-4)
  })

  it("LLM.reward: a value a token, and one a step (Qwen/Qwen2.5-Math-PRM)", async () => {
    await using llm = await LLM.create({ model: poolingFolder("qwen2-prm") })
    const [golden] = readPoolingGolden("qwen2-prm").cases
    const [output] = await llm.reward(golden!.text!)
    expect(distance(output!.outputs.data, golden!.output!)).toBeLessThanOrEqual(1e-4)
    // The step token is the family's own; overridePoolerConfig or the request may name another, or none.
    await using whole = await LLM.create({
      model: poolingFolder("qwen2-prm"),
      overridePoolerConfig: { poolingType: "ALL" }
    })
    const [all] = await whole.reward(golden!.text!)
    expect(all!.outputs.data).toHaveLength(all!.promptTokenIds.length)
  })

  it("Matryoshka embeddings: PoolingParams(dimensions=32)", async () => {
    await using llm = await LLM.create({ model: poolingFolder("qwen3-embed") })
    const [output] = await llm.embed(["Follow the white rabbit."], new PoolingParams({ dimensions: 32 }))
    expect(output!.outputs.embedding).toHaveLength(32)
    expect(Math.hypot(...output!.outputs.embedding)).toBeCloseTo(1, 6)
  })

  it("--override-pooler-config: another pooling than the checkpoint's", async () => {
    await using llm = await LLM.create({
      model: poolingFolder("bert-embed"),
      overridePoolerConfig: { poolingType: "CLS", normalize: false }
    })
    const [cls] = await llm.embed("Hello")
    const [mean] = readPoolingGolden("bert-embed").cases
    expect(Math.hypot(...cls!.outputs.embedding)).toBeGreaterThan(1.5)
    expect(distance(cls!.outputs.embedding, mean!.output!)).toBeGreaterThan(0.1)
  })

  it("a generative checkpoint as a reranker (Qwen/Qwen3-Reranker), prompted by a chatTemplate", async () => {
    await using llm = await LLM.create(poolingOptions("qwen3-reranker-original"))
    const { cases } = readPoolingGolden("qwen3-reranker-original")
    const chatTemplate = [
      '<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n',
      "<|im_start|>user\n<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n",
      '<Query>: {{ messages | selectattr("role", "eq", "query") | map(attribute="content") | first }}\n',
      '<Document>: {{ messages | selectattr("role", "eq", "document") | map(attribute="content") | first }}<|im_end|>\n',
      "<|im_start|>assistant\n<think>\n\n</think>\n\n{# kept #}"
    ].join("")
    const outputs = await llm.score(
      cases.map(({ texts }) => texts![0]),
      cases.map(({ texts }) => texts![1]),
      { chatTemplate }
    )
    outputs.forEach(({ outputs: { score } }, at) => {
      expect(Math.abs(score - cases[at]!.score!)).toBeLessThanOrEqual(1e-4)
    })
  })

  it("a reranker's head from two tokens of the vocabulary: method from_2_way_softmax, and columns that are returned", async () => {
    const { model } = poolingOptions("qwen3-reranker-original")
    const head = { architectures: ["Qwen3ForSequenceClassification"], classifier_from_token: ["no", "yes"] }
    const [golden] = readPoolingGolden("qwen3-reranker-original").cases
    await using one = await LLM.create({ model, hfOverrides: { ...head, method: "from_2_way_softmax" } })
    await using two = await LLM.create({ model, hfOverrides: head, task: "classify" })
    const [single] = await one.classify(golden!.prompt!)
    const [both] = await two.classify(golden!.prompt!)
    expect(distance(single!.outputs.probs, golden!.output!)).toBeLessThanOrEqual(1e-4)
    expect(distance(both!.outputs.probs.slice(1), golden!.output!)).toBeLessThanOrEqual(1e-4)
    const [logit] = await two.classify(golden!.prompt!, { returnedTokenIds: [1], activation: false })
    expect(logit!.outputs.probs).toHaveLength(1)
  })

  it("score: one query against many documents, lists side by side, and any embedding model", async () => {
    await using reranker = await LLM.create({ model: poolingFolder("bert-cross-encoder") })
    const { cases } = readPoolingGolden("bert-cross-encoder")
    const [first] = cases
    const same = cases.filter(({ texts }) => texts![0] === first!.texts![0])
    expect(same.length).toBeGreaterThan(1)
    const many = await reranker.score(
      first!.texts![0],
      same.map(({ texts }) => texts![1])
    )
    many.forEach(({ outputs: { score } }, at) => {
      expect(Math.abs(score - same[at]!.score!)).toBeLessThanOrEqual(1e-4)
    })
    await using embedder = await LLM.create({ model: poolingFolder("bert-embed") })
    const [alike, other] = await embedder.score("the mill", ["the mill", "Numbers: 1 22 333."])
    expect(alike!.outputs.score).toBeCloseTo(1, 6)
    expect(other!.outputs.score).toBeLessThan(alike!.outputs.score)
  })
})
