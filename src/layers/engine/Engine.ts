import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { decodeEngineOptions, type EngineOptions } from "../../domain/config/engineOptions.ts"
import type { ResolvedOptions } from "../../domain/config/resolve.ts"
import { InvalidOptions, type StartError } from "../../domain/errors.ts"
import type { ModelFacts } from "../../domain/model/load.ts"
import { chooseParsers, type Parsers } from "../../domain/tools/reading.ts"
import type { LoadedModel } from "../../services/Backend.ts"
import { BlockAllocator } from "../../services/BlockAllocator.ts"
import { ChatTemplate } from "../../services/ChatTemplate.ts"
import { Engine, type EngineService, type ServedModel } from "../../services/Engine.ts"
import { ModelRunner } from "../../services/ModelRunner.ts"
import type { ModelSource } from "../../services/ModelSource.ts"
import { Sampler } from "../../services/Sampler.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { Tokenizer, type TokenizerInstance } from "../../services/Tokenizer.ts"
import { openModel, openTokenizer, readDefaults } from "./folders.ts"
import type { EngineParts } from "./parts.ts"
import { serve } from "./serve.ts"

/** What an engine is put together from. */
export type EngineNeeds = ModelSource | ModelRunner | Sampler | Tokenizer | ChatTemplate | Scheduler | BlockAllocator

const describe = (
  options: EngineOptions,
  facts: ModelFacts,
  resolved: ResolvedOptions,
  model: LoadedModel,
  rest: Pick<ServedModel, "device" | "tokenizer" | "chatTemplate"> & Parsers
): ServedModel => ({
  name: options.servedModelName ?? options.model,
  architecture: facts.architecture,
  tasks: ["generate"],
  dtype: facts.dtype,
  vocabSize: facts.vocabSize,
  maxModelLen: facts.maxModelLen,
  maxNumSeqs: resolved.scheduler.maxNumSeqs,
  maxNumBatchedTokens: resolved.scheduler.maxNumBatchedTokens,
  blockSize: resolved.scheduler.blockSize,
  kvBlocks: resolved.blocks,
  weightBytes: model.weightBytes,
  cacheBytes: model.cacheBytes,
  ...rest
})

/** The engine's own scheduler over its own pool: two engines in one graph share neither. */
export const makeScheduler = Effect.fnUntraced(function* ({ scheduler, blocks, prefixCaching }: ResolvedOptions) {
  const pool = (yield* BlockAllocator).make({ blocks, blockSize: scheduler.blockSize, prefixCaching })
  const { make } = yield* Scheduler
  return yield* Effect.try({ try: () => make(scheduler, pool), catch: (fault) => fault }).pipe(
    Effect.catchAll((fault) => (fault instanceof InvalidOptions ? fault : Effect.die(fault)))
  )
})

/** Opens, compiles, loads and starts. The Scope owns weights, KV pool, native thread and loop. */
export const make = (given: EngineOptions): Effect.Effect<EngineService, StartError, EngineNeeds | Scope.Scope> =>
  Effect.gen(function* () {
    const options = yield* decodeEngineOptions(given)
    const runner = yield* ModelRunner
    const folder = yield* openModel(options)
    const tokenizerFolder = yield* openTokenizer(folder, options)
    const prepared = yield* runner.prepare(folder, options)
    const { facts, resolved } = prepared
    const defaults = yield* readDefaults(folder, options)
    const noTokenizer: Effect.Effect<TokenizerInstance | undefined> = Effect.succeed(undefined)
    const loadTokenizer =
      options.skipTokenizerInit === true ? noTokenizer : (yield* Tokenizer).load(tokenizerFolder, options.tokenizerMode)
    // The device loads on its own thread: the tokenizer is built meanwhile.
    const [model, tokenizer, template] = yield* Effect.all(
      [runner.load(prepared), loadTokenizer, (yield* ChatTemplate).load(tokenizerFolder)],
      { concurrency: "unbounded" }
    )
    const sampling = {
      vocabSize: Math.max(facts.vocabSize, tokenizer?.vocabSize ?? 0),
      modelVocabSize: facts.vocabSize,
      maxLogprobs: resolved.maxLogprobs,
      eosTokenIds: facts.eosTokenIds,
      tokenizer,
      seed: resolved.seed
    }
    const parts: EngineParts = {
      served: describe(options, facts, resolved, model, {
        device: runner.device.description,
        tokenizer: tokenizer !== undefined,
        chatTemplate: template.present,
        ...chooseParsers(options, template.source)
      }),
      options: resolved,
      model,
      scheduler: yield* makeScheduler(resolved),
      tokenizer,
      template,
      sampler: (yield* Sampler).make({ defaults, facts: sampling })
    }
    return yield* serve(parts)
  })

export const layer = (options: EngineOptions): Layer.Layer<Engine, StartError, EngineNeeds> =>
  Layer.scoped(Engine, make(options))
