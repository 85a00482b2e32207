import { emptyBlockTable } from "../../src/domain/kv/blockTable.ts"
import type { DrawParams, Sequence, TokenLimits } from "../../src/domain/request/sequence.ts"

export interface SequenceSpec {
  readonly id: number
  readonly prompt: ReadonlyArray<number>
  readonly priority?: number
  readonly cacheSalt?: string
  readonly requestId?: string
  readonly waitsForTokens?: boolean
  readonly chooses?: boolean
  readonly draw?: Partial<DrawParams>
  readonly limits?: Partial<TokenLimits>
}

/** `count` token ids from `first` upwards. */
export const range = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i)

/** A greedy sequence of at most 16 output tokens, unless the spec says otherwise. */
export const makeSequence = (spec: SequenceSpec): Sequence => ({
  id: spec.id,
  requestId: spec.requestId ?? `r${spec.id}`,
  priority: spec.priority ?? 0,
  promptLength: spec.prompt.length,
  tokens: [...spec.prompt],
  draw: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0n, logprobs: -1, promptLogprobs: -1, ...spec.draw },
  limits: { maxTokens: 16, eosTokenIds: new Set(), stopTokenIds: new Set(), ignoreEos: false, ...spec.limits },
  cacheSalt: spec.cacheSalt,
  waitsForTokens: spec.waitsForTokens ?? false,
  chooses: spec.chooses ?? false,
  computed: 0,
  pending: 0,
  cached: 0,
  status: "waiting",
  blocks: emptyBlockTable()
})
