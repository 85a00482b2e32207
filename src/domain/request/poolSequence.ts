import { emptyBlockTable } from "../kv/blockTable.ts"
import type { PoolTarget } from "../pooling/target.ts"
import type { DrawParams, Sequence, TokenLimits } from "./sequence.ts"

/** A sequence that draws nothing has no use for these. */
const noDraw: DrawParams = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  seed: 0n,
  logprobs: -1,
  promptLogprobs: -1
}
const noLimits: TokenLimits = { maxTokens: 0, eosTokenIds: new Set(), stopTokenIds: new Set(), ignoreEos: true }

export interface PoolSequenceInput {
  /** Unique within the engine; grows with arrival. */
  readonly id: number
  readonly requestId: string
  readonly tokens: ReadonlyArray<number>
  readonly target: PoolTarget
  readonly priority?: number
  readonly cacheSalt?: string
}

/** A sequence that is computed once for its rows, and ends. */
export const makePoolSequence = ({
  id,
  requestId,
  tokens,
  target,
  priority,
  cacheSalt
}: PoolSequenceInput): Sequence => ({
  id,
  requestId,
  priority: priority ?? 0,
  promptLength: tokens.length,
  tokens: [...tokens],
  draw: noDraw,
  limits: noLimits,
  cacheSalt,
  waitsForTokens: false,
  chooses: false,
  pool: target,
  computed: 0,
  pending: 0,
  cached: 0,
  status: "waiting",
  blocks: emptyBlockTable()
})
