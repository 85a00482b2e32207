import type * as Duration from "effect/Duration"
import type { PoolingInput } from "../domain/pooling/poolingParams.ts"
import type { Progress } from "../domain/request/progress.ts"
import type { ToolChoice } from "../domain/tools/toolChoice.ts"
import type { ChatTemplateOptions } from "../services/ChatTemplate.ts"

export interface RequestOptions {
  readonly lora?: unknown
  readonly priority?: number
  /** From now; passed, the promise rejects with DeadlineExceeded. */
  readonly deadline?: Duration.DurationInput
  /** Aborted, the promise rejects with the signal's reason and the requests give their blocks back. */
  readonly signal?: AbortSignal
}

export interface BatchOptions extends RequestOptions {
  /** `true`: a bar on stderr, where that is a terminal. A function hears of every request that has ended. */
  readonly progress?: boolean | ((progress: Progress) => void)
}

/** What a chat may say beside its messages and parameters. Here `chatTemplate` may also be the path of a file. */
export interface ChatRequestOptions extends RequestOptions, ChatTemplateOptions {
  /** Which tools a reply may, must, or must not call. */
  readonly toolChoice?: ToolChoice
}

export interface ChatOptions extends BatchOptions, ChatRequestOptions {}

/** What a pooling call may say beside its prompts and parameters. */
export type PoolOptions = Pick<BatchOptions, "lora" | "progress" | "signal">

export interface ScoreOptions extends PoolOptions {
  readonly poolingParams?: PoolingInput
  /** Makes a prompt of both texts, as messages of the roles `query` and `document`: for rerankers that are prompted. */
  readonly chatTemplate?: string
}
