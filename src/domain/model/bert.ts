import type { GraphBuilder } from "../graph/builder.ts"
import type { GraphHead, Ref } from "../graph/graph.ts"
import type { PoolerChoice } from "../pooling/choice.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import { type Architecture, defineArchitecture } from "./architecture.ts"
import { type EncoderConfig, encoder, encoderShape, readEncoder } from "./blocks/encoder.ts"
import { classifyHead, embedHead, tokenHead } from "./blocks/pooler.ts"
import type { ConfigReader } from "./configReader.ts"

/** Files of sentence-transformers have no `bert.`; buffers, the heads of pretraining and a pooler that nothing uses are passed over. */
const naming: TensorNaming = {
  prefixes: [
    { from: "bert.", to: "" },
    { from: "linear.", to: "colbert_linear." }
  ],
  ignored: [
    "(^|\\.)embeddings\\.(position_ids|token_type_ids)$",
    "^(bert\\.)?pooler\\.dense\\.(weight|bias)$",
    "^cls\\."
  ]
}

type Head<C> = (g: GraphBuilder, hidden: Ref, c: C, choice: PoolerChoice) => GraphHead

const bert = <C extends EncoderConfig = EncoderConfig>(
  name: string,
  config: (r: ConfigReader) => C,
  head: Head<C>
): Architecture =>
  defineArchitecture({
    name,
    config,
    shape: encoderShape,
    naming: () => naming,
    graph: (g, c, choice) => head(g, encoder(g, "bert", c, 0), c, choice)
  })

const embed: Head<EncoderConfig> = (g, hidden, _c, choice) => embedHead(g, hidden, choice, "CLS")

/** The pooler (a linear and tanh) before the classifier. */
const classify: Head<EncoderConfig> = (g, hidden, c, choice) =>
  classifyHead(g, hidden, choice, "CLS", (rows) => {
    const pooled = g.activation(g.linear(rows, "bert.pooler.dense", c.hiddenSize, { bias: true }), "tanh")
    return g.linear(pooled, "classifier", c.labels, { bias: true })
  })

const classifyTokens: Head<EncoderConfig> = (g, hidden, c) =>
  tokenHead(g, hidden, "tokenClassify", (rows) => g.linear(rows, "classifier", c.labels, { bias: true }))

interface ColbertConfig extends EncoderConfig {
  readonly columns: number
}

const colbertConfig = (r: ConfigReader): ColbertConfig => ({
  ...readEncoder(r),
  columns: r.int(["colbert_dim", "dim", "projection_dim"])
})

/** Khattab & Zaharia 2020: every token's state, made narrow. */
const late: Head<ColbertConfig> = (g, hidden, c) =>
  tokenHead(g, hidden, "tokenEmbed", (rows) => g.linear(rows, "linear", c.columns))

/** Devlin et al. 2018: learned positions, token types, layer norms after each sublayer, GELU. */
export const bertPoolers: ReadonlyArray<Architecture> = [
  bert("BertModel", readEncoder, embed),
  bert("BertForMaskedLM", readEncoder, embed),
  bert("BertForSequenceClassification", readEncoder, classify),
  bert("BertForTokenClassification", readEncoder, classifyTokens),
  bert("HF_ColBERT", colbertConfig, late)
]
