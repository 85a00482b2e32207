import type { GraphBuilder } from "../../graph/builder.ts"
import type { GraphHead, PoolTask, Ref } from "../../graph/graph.ts"
import type { PoolerChoice } from "../../pooling/choice.ts"
import type { Pooling } from "../../pooling/target.ts"
import type { ConfigReader } from "../configReader.ts"

/** Labels of a classifier; transformers' default is two. */
export const readLabels = (r: ConfigReader): number => {
  const names = r.object("id2label")
  return r.int("num_labels", names === undefined ? 2 : Math.max(1, Object.keys(names).length))
}

export interface HeadRows {
  readonly task: PoolTask
  /** When nobody says otherwise. */
  readonly pooling: Pooling
  /** From rows of the hidden states to a sequence's answer. */
  readonly pooled: (rows: Ref) => Ref
  /** The same for single tokens. */
  readonly each: (rows: Ref) => Ref
}

/** A pooler over all tokens' last hidden states: a sequence's row, or the mean of its rows, and the rows of single tokens. */
export const poolerHead = (g: GraphBuilder, hidden: Ref, choice: PoolerChoice, head: HeadRows): GraphHead => {
  const pooling = choice.pooling ?? head.pooling
  const source = pooling === "MEAN" ? g.runningMean(hidden) : hidden
  const pooled = head.pooled(g.gatherRows(source))
  return { kind: "pooler", task: head.task, pooling, pooled, each: head.each(g.gatherRows(hidden)) }
}

/** The hidden states themselves, a sequence's through the Dense modules behind its pooling. */
export const embedHead = (g: GraphBuilder, hidden: Ref, choice: PoolerChoice, pooling: Pooling): GraphHead => {
  const dense = (rows: Ref) =>
    (choice.dense ?? []).reduce((x, { name, columns, bias, activation }) => {
      const y = g.linear(x, name, columns, { bias })
      return activation === undefined ? y : g.activation(y, activation)
    }, rows)
  return poolerHead(g, hidden, choice, { task: "embed", pooling, pooled: dense, each: (rows) => rows })
}

/** A head that single tokens alone have. */
export const tokenHead = (
  g: GraphBuilder,
  hidden: Ref,
  task: "tokenEmbed" | "tokenClassify",
  each: (rows: Ref) => Ref
): GraphHead => ({ kind: "pooler", task, pooling: "ALL", each: each(g.gatherRows(hidden)) })

/** One classifier for a sequence's row and for single tokens. */
export const classifyHead = (
  g: GraphBuilder,
  hidden: Ref,
  choice: PoolerChoice,
  pooling: Pooling,
  classifier: (rows: Ref) => Ref
): GraphHead => poolerHead(g, hidden, choice, { task: "classify", pooling, pooled: classifier, each: classifier })
