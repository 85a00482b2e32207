import type { PoolTask } from "../graph/graph.ts"
import type { Pooling } from "./target.ts"

/** Rows of single tokens are the answer, not one row of the sequence. */
export const givesEach = (pooling: Pooling): boolean => pooling === "ALL" || pooling === "STEP"

export const isEmbedding = (kind: PoolTask): boolean => kind === "embed" || kind === "tokenEmbed"
