import * as Duration from "effect/Duration"
import type { EngineOptions } from "../../domain/config/engineOptions.ts"
import type { BlockPool } from "../../domain/kv/blockPool.ts"
import type { Scheduler } from "../../domain/schedule/scheduler.ts"
import type { LoadedModel } from "../../services/Backend.ts"
import type { ChatTemplateInstance } from "../../services/ChatTemplate.ts"
import type { ServedModel } from "../../services/Engine.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"
import type { ResolveParams } from "./submit.ts"

/** A loaded model with all that an engine needs to serve it. */
export interface EngineParts {
  readonly served: ServedModel
  readonly model: LoadedModel
  readonly blocks: BlockPool
  readonly scheduler: Scheduler
  readonly tokenizer: TokenizerInstance | undefined
  readonly template: ChatTemplateInstance | undefined
  readonly resolveParams: ResolveParams
  readonly pacing: Pacing
}

/** How the engine keeps pace with its readers, and with its device. */
export interface Pacing {
  readonly streamBuffer: number
  readonly streamInterval: number
  readonly maxParkedTime: Duration.Duration
  readonly maxQueuedRequests: number
  readonly overlap: boolean
}

export const pacingOf = (options: EngineOptions): Pacing => ({
  streamBuffer: options.streamBuffer ?? 64,
  streamInterval: options.streamInterval ?? 1,
  maxParkedTime: Duration.decode(options.maxParkedTime ?? "10 minutes"),
  maxQueuedRequests: options.maxQueuedRequests ?? Number.POSITIVE_INFINITY,
  overlap: options.disableAsyncOutputProc !== true
})
