import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { type CompileOptions, compileModel } from "../../../src/domain/model/load.ts"
import { architectures } from "../../../src/domain/model/registry.ts"

/** Keys that all these families together read. */
const config = {
  vocab_size: 90,
  hidden_size: 64,
  dim: 64,
  n_embd: 64,
  num_hidden_layers: 2,
  n_layers: 2,
  n_layer: 2,
  num_attention_heads: 4,
  n_heads: 4,
  n_head: 4,
  intermediate_size: 128,
  hidden_dim: 128,
  ffn_dim: 128,
  max_position_embeddings: 130,
  n_positions: 130,
  type_vocab_size: 2,
  pad_token_id: 1,
  num_labels: 3,
  colbert_dim: 32,
  classifier_pooling: "mean"
}
const compiled = (architecture: string, options: Partial<CompileOptions> = {}, more = {}) =>
  compileModel({ ...config, ...more, architectures: [architecture] }, { dtype: "auto", ...options })
const right = (...given: Parameters<typeof compiled>) => Either.getOrThrow(compiled(...given))
const left = (...given: Parameters<typeof compiled>) => Either.getOrThrow(Either.flip(compiled(...given)))

/** Tensors behind the last layer, from the head's linears. */
const headTensors = (...given: Parameters<typeof compiled>) => {
  const { plan } = right(...given)
  return plan.instructions
    .slice(plan.headStart, plan.pooler?.eachStart === plan.headStart ? undefined : plan.pooler?.eachStart)
    .flatMap(({ operands }) => operands.flatMap((o) => (o.kind === "weight" ? [plan.weights[o.weight]!.name] : [])))
}

describe("architectures that pool", () => {
  it.each([
    ["BertModel", "embed CLS 64 64", []],
    ["BertForSequenceClassification", "classify CLS 3 3", ["bert.pooler.dense.weight", "bert.pooler.dense.bias"]],
    ["BertForTokenClassification", "tokenClassify ALL 0 3", ["classifier.weight", "classifier.bias"]],
    ["RobertaModel", "embed CLS 64 64", []],
    ["RobertaForSequenceClassification", "classify CLS 3 3", ["classifier.dense.weight", "classifier.out_proj.weight"]],
    ["XLMRobertaModel", "embed CLS 64 64", []],
    ["XLMRobertaForSequenceClassification", "classify CLS 3 3", ["classifier.out_proj.bias"]],
    ["DistilBertModel", "embed CLS 64 64", []],
    ["DistilBertForSequenceClassification", "classify CLS 3 3", ["pre_classifier.weight", "classifier.weight"]],
    ["ModernBertModel", "embed CLS 64 64", []],
    [
      "ModernBertForSequenceClassification",
      "classify MEAN 3 3",
      ["head.dense.weight", "head.norm.weight", "classifier.bias"]
    ],
    ["HF_ColBERT", "tokenEmbed ALL 0 32", ["linear.weight"]],
    ["MistralModel", "embed LAST 64 64", []],
    ["LlamaModel", "embed LAST 64 64", []],
    ["Qwen2Model", "embed LAST 64 64", []],
    ["Qwen3Model", "embed LAST 64 64", []],
    ["GPT2Model", "embed LAST 64 64", []],
    ["OPTModel", "embed LAST 64 64", []],
    ["LlamaForSequenceClassification", "classify LAST 3 3", ["score.weight"]],
    ["Qwen2ForSequenceClassification", "classify LAST 3 3", ["score.weight"]],
    ["Qwen3ForSequenceClassification", "classify LAST 3 3", ["score.weight"]],
    ["MistralForSequenceClassification", "classify LAST 3 3", ["score.weight"]],
    ["GPT2ForSequenceClassification", "classify LAST 3 3", ["score.weight"]],
    ["Qwen2ForRewardModel", "reward ALL 1 1", ["score.0.weight", "score.0.bias", "score.2.weight", "score.2.bias"]],
    ["Qwen2ForProcessRewardModel", "reward STEP 2 2", ["score.2.weight"]]
  ])("%s: %s", (name, facts, tensors) => {
    const { task, pooling, pooledWidth, eachWidth, bidirectional } = right(name).facts.pooler!
    expect([task, pooling, pooledWidth, eachWidth].join(" ")).toBe(facts)
    expect(bidirectional).toBe(/Bert|BERT|Roberta/.test(name))
    expect(headTensors(name)).toEqual(expect.arrayContaining([...tensors]))
    if (tensors.length === 0) expect(headTensors(name)).toEqual([])
  })

  it("RoBERTa's positions begin behind the padding id, so that it knows fewer", () => {
    expect(right("RobertaModel").facts.maxModelLen).toBe(128)
    expect(right("BertModel").facts.maxModelLen).toBe(130)
    expect(left("RobertaModel", {}, { pad_token_id: 130 }).message).toContain("leaves no position")
  })

  it("a generative architecture can be made into the two others, by the task", () => {
    const embed = right("Qwen3ForCausalLM", { pooler: { convert: "embed", pooling: "MEAN" } })
    expect(embed.facts.pooler).toMatchObject({ task: "embed", pooling: "MEAN", bidirectional: false })
    expect(embed.plan.pooler!.carryWidth).toBe(64)
    expect(headTensors("Qwen3ForCausalLM", { pooler: { convert: "classify" } })).toEqual(["score.weight"])
    for (const { converts, name } of architectures.filter(({ converts }) => converts !== undefined))
      for (const convert of converts!) expect(right(name, { pooler: { convert } }).facts.pooler!.task).toBe(convert)
  })

  it("rows of the language model's head classify by their tokens, tied or not", () => {
    const choice = { pooler: { convert: "classify", classifierTokens: [7, 3] } } as const
    expect(headTensors("Qwen3ForCausalLM", choice)).toEqual(["lm_head.weight[7, 3]"])
    expect(headTensors("Qwen3ForCausalLM", choice, { tie_word_embeddings: true })).toEqual([
      "model.embed_tokens.weight[7, 3]"
    ])
    const { plan } = right("Qwen3ForCausalLM", choice)
    const [weight] = plan.weights.filter(({ name }) => name.startsWith("lm_head"))
    expect(weight).toMatchObject({ rows: 2, segments: [{ rowStart: 7, tensorRows: 90 }, { rowStart: 3 }] })
  })

  it("is_causal: false lets every token see every other, and then nothing can be generated", () => {
    const free = right("LlamaModel", {}, { is_causal: false })
    expect(free.facts.pooler!.bidirectional).toBe(true)
    expect(free.plan.instructions.filter(({ op }) => op === "attention" || op === "kvWrite")).toEqual([])
    expect(left("LlamaForCausalLM", {}, { is_causal: false }).message).toContain("is_causal is false")
    const embed = right("LlamaForCausalLM", { pooler: { convert: "embed" } }, { is_causal: false })
    expect(embed.plan.cacheGroups).toEqual([])
  })

  it("what cannot be served is told by the config's own keys", () => {
    expect(left("HF_ColBERT", {}, { colbert_dim: undefined, dim: undefined }).message).toContain(
      "colbert_dim is nothing"
    )
    expect(left("BertModel", {}, { position_embedding_type: "relative_key" }).message).toContain("relative_key")
    expect(left("BertModel", {}, { is_decoder: true }).message).toContain("is_decoder is true")
    expect(left("DistilBertModel", {}, { n_heads: 5 }).message).toContain("no multiple of n_heads 5")
  })
})
