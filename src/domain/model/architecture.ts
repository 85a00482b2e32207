import { GraphBuilder } from "../graph/builder.ts"
import type { Graph, GraphHead, Ref } from "../graph/graph.ts"
import type { Conversion, PoolerChoice } from "../pooling/choice.ts"
import type { Dtype } from "../tensor/dtype.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import type { ConfigReader } from "./configReader.ts"

/** What the rest of the engine asks of a model. */
export interface ModelShape {
  readonly vocabSize: number
  /** Tokens of the longest sequence that the position encoding was made for. */
  readonly maxPositions: number
  readonly layers: number
  readonly hiddenSize: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/** The shape among the fields of a family's config. */
export const modelShape = (config: ModelShape): ModelShape => {
  const { vocabSize, maxPositions, layers, hiddenSize, heads, kvHeads, headDim } = config
  return { vocabSize, maxPositions, layers, hiddenSize, heads, kvHeads, headDim }
}

export interface GraphOptions {
  readonly dtype: Dtype
  readonly kvDtype: Dtype
}

/** A config that has been read: what the model is, and its graph on demand. */
export interface ConfiguredModel {
  readonly shape: ModelShape
  readonly graph: (options: GraphOptions) => Graph
}

/** A model family: from config.json to mathematics. Problems go to the reader; the answer counts only while it has none. */
export interface Architecture {
  readonly name: string
  /** What it can be made into, when it ends in logits. */
  readonly converts?: ReadonlyArray<Conversion>
  readonly read: (config: ConfigReader, pooler?: PoolerChoice) => ConfiguredModel
}

/**
 * Closes a family over its own config type. `graph` writes the nodes and answers the logits, or a pooler's heads; what
 * `pooler` leaves open is the family's to say.
 */
export const defineArchitecture = <C>(family: {
  readonly name: string
  readonly converts?: ReadonlyArray<Conversion>
  readonly config: (reader: ConfigReader, pooler: PoolerChoice) => C
  readonly shape: (config: C) => ModelShape
  readonly naming: (config: C, pooler: PoolerChoice) => TensorNaming
  readonly graph: (g: GraphBuilder, config: C, pooler: PoolerChoice) => Ref | GraphHead
}): Architecture => ({
  name: family.name,
  ...(family.converts === undefined ? {} : { converts: family.converts }),
  read: (reader, pooler = {}) => {
    const config = family.config(reader, pooler)
    return {
      shape: family.shape(config),
      graph: ({ dtype, kvDtype }) => {
        const g = new GraphBuilder(family.name, dtype, kvDtype)
        const end = family.graph(g, config, pooler)
        const head: GraphHead = end.kind === "value" ? { kind: "logits", logits: end } : end
        return g.finish(head, family.naming(config, pooler))
      }
    }
  }
})
