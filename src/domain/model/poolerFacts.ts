import type { Graph, PoolTask } from "../graph/graph.ts"
import { embedSources } from "../ops/embed.ts"
import type { Pooling } from "../pooling/target.ts"
import type { PoolerConfig } from "../schedule/scheduler.ts"

/** What a pooler answers. */
export interface PoolerFacts extends PoolerConfig {
  readonly task: PoolTask
  /** How a sequence's row is made, or which rows of single tokens the task asks for. */
  readonly pooling: Pooling
  /** Columns of a sequence's row, and of a single token's; 0: there is no such head. */
  readonly pooledWidth: number
  readonly eachWidth: number
}

/** Read off the graph; undefined: it ends in logits. */
export const poolerFacts = ({ head, nodes, cacheGroups }: Graph): PoolerFacts | undefined =>
  head.kind === "logits"
    ? undefined
    : {
        task: head.task,
        pooling: head.pooling,
        bidirectional: cacheGroups.length === 0,
        tokenTypes: nodes.some(({ op, attributes }) => op === "embed" && attributes.source === embedSources.types),
        pooledWidth: head.pooled?.columns ?? 0,
        eachWidth: head.each?.columns ?? 0
      }
