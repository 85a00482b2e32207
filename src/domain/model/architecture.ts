import { GraphBuilder } from "../graph/builder.ts"
import type { Graph, Ref } from "../graph/graph.ts"
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
  readonly read: (config: ConfigReader) => ConfiguredModel
}

/** Closes a family over its own config type. `graph` writes the nodes and answers the logits. */
export const defineArchitecture = <C>(family: {
  readonly name: string
  readonly config: (reader: ConfigReader) => C
  readonly shape: (config: C) => ModelShape
  readonly naming: (config: C) => TensorNaming
  readonly graph: (g: GraphBuilder, config: C) => Ref
}): Architecture => ({
  name: family.name,
  read: (reader) => {
    const config = family.config(reader)
    return {
      shape: family.shape(config),
      graph: ({ dtype, kvDtype }) => {
        const g = new GraphBuilder(family.name, dtype, kvDtype)
        return g.finish(family.graph(g, config), family.naming(config))
      }
    }
  }
})
