import type { GraphBuilder } from "../../graph/builder.ts"
import type { GraphHead, Ref } from "../../graph/graph.ts"
import type { PoolerChoice } from "../../pooling/choice.ts"
import type { TensorNaming } from "../../weights/checkpoint.ts"
import { type Architecture, defineArchitecture, type ModelShape } from "../architecture.ts"
import type { ConfigReader } from "../configReader.ts"
import { classifyHead, embedHead, poolerHead, readLabels } from "./pooler.ts"

/** A decoder before anybody has said what its hidden states are for. */
export interface DecoderFamily<C> {
  /** Architectures by what they end in, as config.json names them. */
  readonly names: {
    readonly generate: string
    readonly embed: string
    readonly classify: string
    /** A value a token, and labels a token. */
    readonly reward?: string
    readonly processReward?: string
  }
  readonly config: (reader: ConfigReader) => C
  readonly shape: (config: C) => ModelShape
  readonly naming: (config: C) => TensorNaming
  /** All tokens' hidden states, before the final norm. */
  readonly layers: (g: GraphBuilder, config: C) => Ref
  /** The final norm, over any rows. */
  readonly norm: (g: GraphBuilder, x: Ref, config: C) => Ref
  /** The linear that makes logits, by its tensor's name. */
  readonly head: (config: C) => string
}

type Config<C> = C & { readonly labels: number }

const generateGraph = <C>(g: GraphBuilder, family: DecoderFamily<C>, c: C): Ref =>
  g.linear(family.norm(g, g.gatherRows(family.layers(g, c)), c), family.head(c), family.shape(c).vocabSize)

/** Every token's last hidden state. */
const hiddenStates = <C>(g: GraphBuilder, family: DecoderFamily<C>, c: C): Ref => family.norm(g, family.layers(g, c), c)

/** `score` without bias, or rows of the language model's head where tokens classify. */
const classifyGraph = <C>(g: GraphBuilder, family: DecoderFamily<C>, c: Config<C>, choice: PoolerChoice): GraphHead =>
  classifyHead(g, hiddenStates(g, family, c), choice, "LAST", (rows) =>
    choice.classifierTokens === undefined
      ? g.linear(rows, "score", c.labels)
      : g.linearRows(rows, family.head(c), choice.classifierTokens, family.shape(c).vocabSize)
  )

/** Two linears with biases and a ReLU between, for every token: Yang et al. 2024 (Qwen2.5-Math). */
const rewardGraph =
  (labels: number) =>
  <C>(g: GraphBuilder, family: DecoderFamily<C>, c: C, choice: PoolerChoice): GraphHead => {
    const { hiddenSize } = family.shape(c)
    const score = (rows: Ref) => {
      const inner = g.activation(g.linear(rows, "score.0", hiddenSize, { bias: true }), "relu")
      return g.linear(inner, "score.2", labels, { bias: true })
    }
    const pooling = labels === 1 ? "ALL" : "STEP"
    const hidden = hiddenStates(g, family, c)
    return poolerHead(g, hidden, choice, { task: "reward", pooling, pooled: score, each: score })
  }

/** A pooler has no use for the language model's head, nor an embedding for a classifier's. */
const poolerNaming = (naming: TensorNaming, embeds: boolean): TensorNaming => ({
  ...naming,
  ignored: [...naming.ignored, "^lm_head\\.weight$", ...(embeds ? ["^score\\."] : [])]
})

/**
 * The architectures of one decoder: `generate`, which can be made into the first two of `poolers`, and these: hidden
 * states, a classifier, and where the family has them reward models.
 */
export const defineDecoder = <C>(
  family: DecoderFamily<C>
): { readonly generate: Architecture; readonly poolers: ReadonlyArray<Architecture> } => {
  const { names } = family
  const shared = {
    config: (r: ConfigReader): Config<C> => ({ ...family.config(r), labels: readLabels(r) }),
    shape: family.shape
  }
  const naming = (embeds: boolean) => (c: C) => poolerNaming(family.naming(c), embeds)
  const embedGraph = (g: GraphBuilder, c: C, choice: PoolerChoice) =>
    embedHead(g, hiddenStates(g, family, c), choice, "LAST")
  const classify = (g: GraphBuilder, c: Config<C>, choice: PoolerChoice) => classifyGraph(g, family, c, choice)
  const reward = (name: string | undefined, labels: number): ReadonlyArray<Architecture> => {
    const graph = rewardGraph(labels)
    return name === undefined
      ? []
      : [defineArchitecture({ ...shared, name, naming: naming(false), graph: (g, c, p) => graph(g, family, c, p) })]
  }
  return {
    generate: defineArchitecture({
      ...shared,
      name: names.generate,
      config: (r, { convert }) => {
        r.expect(
          convert !== undefined || r.bool("is_causal", true),
          "is_causal is false: its tokens see those behind them, so it cannot generate; set task to embed or classify."
        )
        return shared.config(r)
      },
      converts: ["embed", "classify"],
      naming: (c, { convert }) => (convert === undefined ? family.naming(c) : naming(convert === "embed")(c)),
      graph: (g, c, choice): Ref | GraphHead =>
        choice.convert === "embed"
          ? embedGraph(g, c, choice)
          : choice.convert === "classify"
            ? classify(g, c, choice)
            : generateGraph(g, family, c)
    }),
    poolers: [
      defineArchitecture({ ...shared, name: names.embed, naming: naming(true), graph: embedGraph }),
      defineArchitecture({ ...shared, name: names.classify, naming: naming(false), graph: classify }),
      ...reward(names.reward, 1),
      ...reward(names.processReward, 2)
    ]
  }
}
