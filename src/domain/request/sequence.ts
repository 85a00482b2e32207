import type { TokenConstraint } from "../grammar/constraint.ts"
import type { BlockTable } from "../kv/blockTable.ts"
import type { PoolTarget } from "../pooling/target.ts"

/** What a row of logits is turned into a token by. All set; made once, when the request is resolved. */
export interface DrawParams {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  /** Unsigned 64 bit. */
  readonly seed: bigint
  /** How many best logprobs beside the drawn token's; -1: none at all. */
  readonly logprobs: number
  /** The same for each prompt token; -1: none. Such a sequence reads no cached block. */
  readonly promptLogprobs: number
  /** What is done to the logits first; absent where nothing is. */
  readonly edits?: LogitEdits
}

/** Changes to logits before the draw. Ids lie below the model's vocabulary. */
export interface LogitEdits {
  /** Bit t % 32 of word t / 32 is set when token t may be drawn; undefined: all may. */
  readonly allowed: Uint32Array | undefined
  /** Each as its ids: the last is never drawn after the ones before it. */
  readonly badWords: ReadonlyArray<ReadonlyArray<number>>
  /** `early` is never drawn before this many output tokens. */
  readonly minTokens: number
  /** Ids that end the reply. */
  readonly early: Int32Array
  readonly biasIds: Int32Array
  readonly biasValues: Float32Array
  /** 1: off. Looks at prompt and output. */
  readonly repetitionPenalty: number
  /** 0: off. These two look at the output. */
  readonly presencePenalty: number
  readonly frequencyPenalty: number
}

/** Why a sequence ends by its tokens alone; stop strings are the assembler's, which sees text. */
export interface TokenLimits {
  readonly maxTokens: number
  readonly eosTokenIds: ReadonlySet<number>
  readonly stopTokenIds: ReadonlySet<number>
  readonly ignoreEos: boolean
}

/**
 * One stream of tokens being computed: `computed` of its `known` tokens (prompt and output) are in the cache.
 * Mutable; owned by the scheduler's state, changed by schedule() and advance() only.
 */
export interface Sequence {
  /** Unique within the engine; grows with arrival, which is what FCFS orders by. */
  readonly id: number
  readonly requestId: string
  /** Lower runs first under the priority policy. */
  readonly priority: number
  readonly promptLength: number
  /** Prompt, then output. */
  readonly tokens: Array<number>
  readonly draw: DrawParams
  readonly limits: TokenLimits
  readonly cacheSalt: string | undefined
  /**
   * The token that a step draws is needed here before the next step can be made: the sequence sits out until that step
   * has retired, while others run on. True of beams, and of whatever has a constraint.
   */
  readonly waitsForTokens: boolean
  /**
   * Its owner chooses its tokens by what a step says of it, as a beam's: the draw stays pending until it is settled. Such
   * a sequence waits for its tokens, and never ends by itself.
   */
  readonly chooses: boolean
  /** What its tokens must conform to. */
  readonly constraint?: TokenConstraint
  /** Present: the sequence draws nothing and ends when its prompt has been computed. */
  readonly pool?: PoolTarget
  /** Tokens whose K and V are in the cache or in a step already submitted. */
  computed: number
  /** Output tokens that submitted steps will draw and that have not come back. */
  pending: number
  /** Prompt tokens found in the prefix cache at first admission. */
  cached: number
  status: "waiting" | "running" | "parked" | "finished"
  readonly blocks: BlockTable
}

export type FinishReason = "stop" | "length" | "abort"
