import type { Activation } from "../ops/activation.ts"
import type { Pooling } from "./target.ts"

/** What a generative checkpoint can be made into. */
export const conversions = ["embed", "classify"] as const
export type Conversion = (typeof conversions)[number]

/** A linear behind the pooling: a Dense module of Sentence Transformers. */
export interface DenseChoice {
  /** Tensors `${name}.weight` [columns, columns before] and `${name}.bias` [columns]. */
  readonly name: string
  readonly columns: number
  readonly bias: boolean
  /** Absent: identity. */
  readonly activation?: Activation
}

/** What modules.json, overrides or a task say of a model's pooler; what is absent is the architecture's to say. */
export interface PoolerChoice {
  /** Makes an architecture that ends in logits into a pooler. */
  readonly convert?: Conversion
  readonly pooling?: Pooling
  readonly dense?: ReadonlyArray<DenseChoice>
  /** Rows of the language model's head that classify, by token id: Qwen3-Reranker's "no" and "yes". */
  readonly classifierTokens?: ReadonlyArray<number>
}
