import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { AdmissionError, DeviceFailed, InvalidRequest, PoolError, RunError } from "../domain/errors.ts"
import type { Scoring } from "../domain/pooling/poolerSpec.ts"
import type { BeamSearchRequest, ChatRequest, GenerateRequest, PoolRequest } from "../domain/request/generateRequest.ts"
import type { BeamSearchOutput, ChatDelta, GenerationDelta, PoolingOutput } from "../domain/request/outputs.ts"
import type { Dtype } from "../domain/tensor/dtype.ts"
import type { ToolCallParser } from "../domain/tools/formats.ts"
import type { ReasoningParser } from "../domain/tools/reasoningScanner.ts"
import type { ChatTemplateOptions } from "./ChatTemplate.ts"

/** What an engine serves: a plain value, known when its layer is built. */
export interface ServedModel {
  readonly name: string
  readonly architecture: string
  readonly tasks: ReadonlyArray<string>
  /** How two texts are compared; absent: not at all. */
  readonly scoring?: Scoring
  /** Names of a classifier's labels, in the order of its probabilities. */
  readonly labels?: ReadonlyArray<string>
  readonly device: string
  readonly dtype: Dtype
  readonly vocabSize: number
  /** Tokens of prompt and reply together, at most. */
  readonly maxModelLen: number
  readonly maxNumSeqs: number
  readonly maxNumBatchedTokens: number
  readonly blockSize: number
  readonly kvBlocks: number
  readonly weightBytes: number
  readonly cacheBytes: number
  /** Whether prompts may be text. */
  readonly tokenizer: boolean
  readonly chatTemplate: boolean
  /** How its replies are read, where an option or the checkpoint's template says: see `toolCallParser`, `reasoningParser`. */
  readonly toolCallParser?: ToolCallParser
  readonly reasoningParser?: ReasoningParser
}

/** One admitted request. Its Scope holds its KV blocks; closed, they return within one step. */
export interface Generation {
  readonly requestId: string
  readonly promptTokenIds: ReadonlyArray<number>
  /** For one reader. Ends when every output sequence has ended. */
  readonly deltas: Stream.Stream<GenerationDelta, RunError>
}

export interface ChatGeneration extends Omit<Generation, "deltas"> {
  readonly deltas: Stream.Stream<ChatDelta, RunError>
}

/** Sequences by state; blocks that only the prefix cache holds count as free; token and request counts since the start. */
export interface EngineMetrics {
  readonly running: number
  readonly waiting: number
  readonly parked: number
  readonly kvBlocksTotal: number
  readonly kvBlocksFree: number
  readonly promptTokens: number
  readonly generationTokens: number
  readonly finishedRequests: number
  readonly prefixCacheHits: number
  readonly prefixCacheQueries: number
  readonly preemptions: number
}

export type Health =
  | { readonly status: "ready" }
  | { readonly status: "dead"; readonly error: DeviceFailed }
  | { readonly status: "closed" }

export interface EngineService {
  readonly model: ServedModel
  /** Tokenising can be interrupted; admission is one synchronous insert. */
  readonly submit: (request: GenerateRequest) => Effect.Effect<Generation, AdmissionError, Scope.Scope>
  readonly submitChat: (request: ChatRequest) => Effect.Effect<ChatGeneration, AdmissionError, Scope.Scope>
  readonly pool: (request: PoolRequest) => Effect.Effect<PoolingOutput, PoolError>
  readonly beamSearch: (request: BeamSearchRequest) => Effect.Effect<BeamSearchOutput, PoolError>
  readonly tokenize: (
    text: string,
    options?: { readonly addSpecialTokens?: boolean }
  ) => Effect.Effect<ReadonlyArray<number>, InvalidRequest>
  readonly detokenize: (
    ids: ReadonlyArray<number>,
    options?: { readonly skipSpecialTokens?: boolean }
  ) => Effect.Effect<string, InvalidRequest>
  /** Messages are rendered untouched. */
  readonly applyChatTemplate: (
    messages: ReadonlyArray<unknown>,
    options?: ChatTemplateOptions
  ) => Effect.Effect<string, InvalidRequest>
  /** Ends a request's stream with finish reason "abort". An id that is not there (any more) is no error. */
  readonly abort: (requestId: string) => Effect.Effect<void>
  readonly metrics: Effect.Effect<EngineMetrics>
  readonly health: Effect.Effect<Health>
}

/** An engine: in this process, or elsewhere behind the same tag. */
export class Engine extends Context.Tag("millrace/Engine")<Engine, EngineService>() {}
