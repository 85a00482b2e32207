import type * as Effect from "effect/Effect"
import type { EngineOptions } from "../../domain/config/engineOptions.ts"
import type { ResolvedOptions } from "../../domain/config/resolve.ts"
import type { CheckpointInvalid } from "../../domain/errors.ts"
import type { Scheduler } from "../../domain/schedule/scheduler.ts"
import type { LoadedModel } from "../../services/Backend.ts"
import type { ChatTemplateInstance } from "../../services/ChatTemplate.ts"
import type { ServedModel } from "../../services/Engine.ts"
import type { GrammarInstance } from "../../services/Grammar.ts"
import type { PreparedModel } from "../../services/ModelRunner.ts"
import type { ModelFolder } from "../../services/ModelSource.ts"
import type { PoolerInstance } from "../../services/Pooler.ts"
import type { SamplerInstance } from "../../services/Sampler.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"
import type { OpenedPooler } from "./pooling/openPooler.ts"

/** A checkpoint that has been opened and compiled; nothing of it is loaded. */
export interface PreparedParts {
  readonly options: EngineOptions
  readonly folder: ModelFolder
  readonly model: PreparedModel
  readonly opened: OpenedPooler
  /** Read once, by whoever needs it first; undefined with skipTokenizerInit. */
  readonly tokenizer: Effect.Effect<TokenizerInstance | undefined, CheckpointInvalid>
  readonly template: Effect.Effect<ChatTemplateInstance, CheckpointInvalid>
}

/** A loaded model with all that an engine needs to serve it. Nothing here is shared with another engine. */
export interface CommonParts {
  readonly served: ServedModel
  readonly options: ResolvedOptions
  readonly model: LoadedModel
  readonly scheduler: Scheduler
  readonly tokenizer: TokenizerInstance | undefined
  readonly template: ChatTemplateInstance | undefined
}

/** A model that generates. */
export interface EngineParts extends CommonParts {
  readonly sampler: SamplerInstance
  /** Undefined where there is no tokenizer. */
  readonly grammars: GrammarInstance | undefined
}

/** A model that pools; `widths` are columns of the plan's two heads. */
export interface PoolerParts extends CommonParts {
  readonly pooler: PoolerInstance
  readonly widths: { readonly pooled: number; readonly each: number }
}
