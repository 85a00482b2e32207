import type { GraphBuilder } from "../graph/builder.ts"
import type { GraphHead, Ref } from "../graph/graph.ts"
import type { PoolerChoice } from "../pooling/choice.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import { type Architecture, defineArchitecture } from "./architecture.ts"
import { type EncoderConfig, encoder, encoderShape, readEncoder } from "./blocks/encoder.ts"
import { classifyHead, embedHead, tokenHead } from "./blocks/pooler.ts"
import type { ConfigReader } from "./configReader.ts"

interface RobertaConfig extends EncoderConfig {
  /** Row of the table of positions that the first token takes. */
  readonly offset: number
}

/** Positions are counted from behind the padding token's id, so that many rows of the table are never used. */
const config = (r: ConfigReader): RobertaConfig => {
  const c = readEncoder(r)
  const offset = r.int("pad_token_id", 1, 0) + 1
  r.expect(
    c.maxPositions > offset,
    `max_position_embeddings ${c.maxPositions} leaves no position behind pad_token_id ${offset - 1}.`
  )
  return { ...c, maxPositions: Math.max(1, c.maxPositions - offset), offset }
}

const naming: TensorNaming = {
  prefixes: [{ from: "roberta.", to: "" }],
  ignored: [
    "(^|\\.)embeddings\\.(position_ids|token_type_ids)$",
    "^(roberta\\.)?pooler\\.dense\\.(weight|bias)$",
    "^lm_head\\."
  ]
}

type Head = (g: GraphBuilder, hidden: Ref, c: RobertaConfig, choice: PoolerChoice) => GraphHead

const roberta = (name: string, head: Head): Architecture =>
  defineArchitecture({
    name,
    config,
    shape: encoderShape,
    naming: () => naming,
    graph: (g, c, choice) => head(g, encoder(g, "roberta", c, c.offset), c, choice)
  })

const embed: Head = (g, hidden, _c, choice) => embedHead(g, hidden, choice, "CLS")

const classify: Head = (g, hidden, c, choice) =>
  classifyHead(g, hidden, choice, "CLS", (rows) => {
    const inner = g.activation(g.linear(rows, "classifier.dense", c.hiddenSize, { bias: true }), "tanh")
    return g.linear(inner, "classifier.out_proj", c.labels, { bias: true })
  })

const classifyTokens: Head = (g, hidden, c) =>
  tokenHead(g, hidden, "tokenClassify", (rows) => g.linear(rows, "classifier", c.labels, { bias: true }))

/** Liu et al. 2019, Conneau et al. 2019: BERT with positions that begin behind the padding id, and a head of its own. */
export const robertaPoolers: ReadonlyArray<Architecture> = ["Roberta", "XLMRoberta"].flatMap((stem) => [
  roberta(`${stem}Model`, embed),
  roberta(`${stem}ForMaskedLM`, embed),
  roberta(`${stem}ForSequenceClassification`, classify),
  roberta(`${stem}ForTokenClassification`, classifyTokens)
])
