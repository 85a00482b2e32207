import type { FinishReason } from "./sequence.ts"

/** One token as logprobs show it. `rank` 1 is the most probable; `decodedToken` is null where no tokenizer was loaded. */
export interface Logprob {
  readonly tokenId: number
  readonly logprob: number
  readonly rank: number
  readonly decodedToken: string | null
}

/** What stood at one position: the token itself first, then the best in rank order, no token twice. */
export type TokenLogprobs = ReadonlyArray<Logprob>

/** One entry per prompt token; the first is null, for nothing came before it. */
export type PromptLogprobs = ReadonlyArray<TokenLogprobs | null>

export interface Usage {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
}

/** Milliseconds of the engine's clock. */
export interface RequestMetrics {
  readonly arrivalTime: number
  readonly firstTokenTime: number | null
  readonly finishedTime: number
}

/** What one request gained since the reader last looked: tokens of one index, merged. */
export interface GenerationDelta {
  readonly requestId: string
  readonly index: number
  readonly text: string
  readonly tokenIds: ReadonlyArray<number>
  readonly logprobs?: ReadonlyArray<TokenLogprobs>
  /** Non-null in exactly one delta of each index: its last. */
  readonly finishReason: FinishReason | null
  readonly stopReason: string | number | null
  /** In the request's first delta. */
  readonly prompt?: { readonly logprobs: PromptLogprobs | null; readonly numCachedTokens: number }
  /** In the request's last delta, with `metrics`. */
  readonly usage?: Usage
  readonly metrics?: RequestMetrics
}

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON as the model wrote it; of a call that the reply's end cut off, what there was of it. */
  readonly arguments: string
}

export interface CompletionOutput {
  readonly index: number
  readonly text: string
  readonly tokenIds: ReadonlyArray<number>
  /** Sum of the tokens' own logprobs; null unless logprobs were asked for. */
  readonly cumulativeLogprob: number | null
  readonly logprobs: ReadonlyArray<TokenLogprobs> | null
  readonly finishReason: FinishReason | null
  readonly stopReason: string | number | null
  /** From chat only: the calls in the reply, of which `text` then holds nothing, nor of the reasoning. */
  readonly toolCalls?: ReadonlyArray<ToolCall>
  readonly reasoning?: string
}

export interface RequestOutput {
  readonly requestId: string
  readonly prompt: string | null
  readonly promptTokenIds: ReadonlyArray<number>
  readonly promptLogprobs: PromptLogprobs | null
  readonly outputs: ReadonlyArray<CompletionOutput>
  readonly finished: boolean
  readonly numCachedTokens: number
  readonly metrics: RequestMetrics | null
}

/**
 * A chat reply in pieces, in the words of @effect/ai. A call whose arguments are whole has a `tool-params-end`; one that
 * the reply's end cut off has none.
 */
export type ChatDelta = { readonly requestId: string; readonly index: number } & (
  | { readonly type: "text-delta"; readonly delta: string }
  | { readonly type: "reasoning-delta"; readonly delta: string }
  | { readonly type: "tool-params-start"; readonly id: string; readonly name: string }
  | { readonly type: "tool-params-delta"; readonly id: string; readonly delta: string }
  | { readonly type: "tool-params-end"; readonly id: string }
  | { readonly type: "finish"; readonly reason: FinishReason; readonly usage?: Usage }
)

/** What one pooled text became: a row, or a row for every token asked for. */
export type PooledData = ReadonlyArray<number> | ReadonlyArray<ReadonlyArray<number>>

export interface PoolingOutput {
  readonly requestId: string
  /** What the model saw, special tokens included. */
  readonly promptTokenIds: ReadonlyArray<number>
  readonly data: PooledData
}

interface PooledOutput<Outputs> {
  readonly requestId: string
  readonly outputs: Outputs
  readonly promptTokenIds: ReadonlyArray<number>
  readonly finished: boolean
}

/** From encode and reward. */
export interface PoolingRequestOutput extends PooledOutput<{ readonly data: PooledData }> {}
export interface EmbeddingRequestOutput extends PooledOutput<{ readonly embedding: ReadonlyArray<number> }> {}
/** One probability a label; a logit where no activation is applied. */
export interface ClassificationRequestOutput extends PooledOutput<{ readonly probs: ReadonlyArray<number> }> {}
export interface ScoringRequestOutput extends PooledOutput<{ readonly score: number }> {}

/** The best beams, the best first. */
export interface BeamSearchOutput {
  readonly requestId: string
  readonly sequences: ReadonlyArray<{
    readonly tokenIds: ReadonlyArray<number>
    readonly outputTokenIds: ReadonlyArray<number>
    readonly text: string
    readonly cumulativeLogprob: number
    readonly score: number
    readonly finishReason: FinishReason
  }>
}
