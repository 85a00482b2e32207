import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { decodeEngineOptions, type EngineOptions } from "../../domain/config/engineOptions.ts"
import type { ResolvedOptions } from "../../domain/config/resolve.ts"
import { type CheckpointInvalid, InvalidOptions, type StartError } from "../../domain/errors.ts"
import type { ModelFacts } from "../../domain/model/load.ts"
import { refusePoolerConfig } from "../../domain/pooling/poolerChoice.ts"
import { chooseParsers, type Parsers } from "../../domain/tools/reading.ts"
import type { LoadedModel } from "../../services/Backend.ts"
import { BlockAllocator } from "../../services/BlockAllocator.ts"
import { ChatTemplate } from "../../services/ChatTemplate.ts"
import { Engine, type EngineService, type ServedModel } from "../../services/Engine.ts"
import { Grammar } from "../../services/Grammar.ts"
import { ModelRunner } from "../../services/ModelRunner.ts"
import type { ModelSource } from "../../services/ModelSource.ts"
import type { Pooler } from "../../services/Pooler.ts"
import { Sampler } from "../../services/Sampler.ts"
import { Scheduler } from "../../services/Scheduler.ts"
import { Tokenizer, type TokenizerInstance } from "../../services/Tokenizer.ts"
import { openModel, openTokenizer, readDefaults } from "./folders.ts"
import type { EngineParts, PreparedParts } from "./parts.ts"
import { openPooler } from "./pooling/openPooler.ts"
import { makePooler } from "./pooling/poolerEngine.ts"
import { serve } from "./serve.ts"

/** What an engine is put together from. */
export type EngineNeeds =
  | ModelSource
  | ModelRunner
  | Sampler
  | Pooler
  | Grammar
  | Tokenizer
  | ChatTemplate
  | Scheduler
  | BlockAllocator

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

const prepare = Effect.fnUntraced(function* (options: EngineOptions) {
  const folder = yield* openModel(options)
  const tokenizerFolder = yield* openTokenizer(folder, options)
  const none: Effect.Effect<TokenizerInstance | undefined, CheckpointInvalid> = Effect.succeed(undefined)
  const tokenizer = yield* Effect.cached(
    options.skipTokenizerInit === true ? none : (yield* Tokenizer).load(tokenizerFolder, options.tokenizerMode)
  )
  const opened = yield* openPooler(folder, options, tokenizer)
  const model = yield* (yield* ModelRunner).prepare(opened.folder, options, opened.choice)
  const template = (yield* ChatTemplate).load(tokenizerFolder)
  return { options, folder, model, opened, tokenizer, template } satisfies PreparedParts
})

/** Weights, tokenizer and template, and the scheduler over them. */
export const load = Effect.fnUntraced(function* ({ options, model: prepared, tokenizer, template }: PreparedParts) {
  const runner = yield* ModelRunner
  const { facts, resolved } = prepared
  // The device loads on its own thread: the tokenizer is built meanwhile.
  const loaded = yield* Effect.all([runner.load(prepared), tokenizer, template], { concurrency: "unbounded" })
  const [model, tokens, chat] = loaded
  return {
    served: describe(options, facts, resolved, model, {
      device: runner.device.description,
      tokenizer: tokens !== undefined,
      chatTemplate: chat.present,
      ...chooseParsers(options, chat.source)
    }),
    options: resolved,
    model,
    scheduler: yield* makeScheduler(resolved),
    tokenizer: tokens,
    template: chat
  }
})

const makeGenerator = Effect.fnUntraced(function* (prepared: PreparedParts) {
  const { options, folder, model } = prepared
  const { facts, resolved } = model
  if (options.overridePoolerConfig !== undefined) return yield* refusePoolerConfig(facts.architecture)
  const defaults = yield* readDefaults(folder, options)
  const common = yield* load(prepared)
  const { tokenizer } = common
  const sampling = {
    vocabSize: Math.max(facts.vocabSize, tokenizer?.vocabSize ?? 0),
    modelVocabSize: facts.vocabSize,
    maxLogprobs: resolved.maxLogprobs,
    // A fine-tuned model may end its turns with a token that only its tokenizer knows as the end.
    eosTokenIds: [...facts.eosTokenIds, ...(tokenizer?.eosTokenId === undefined ? [] : [tokenizer.eosTokenId])],
    tokenizer,
    seed: resolved.seed
  }
  const parts: EngineParts = {
    ...common,
    sampler: (yield* Sampler).make({ defaults, facts: sampling }),
    grammars: tokenizer && (yield* Grammar).make(tokenizer, facts.vocabSize)
  }
  return yield* serve(parts)
})

/** Opens, compiles, loads and starts. The Scope owns weights, KV pool, native thread and loop. */
export const make = (given: EngineOptions): Effect.Effect<EngineService, StartError, EngineNeeds | Scope.Scope> =>
  Effect.gen(function* () {
    const prepared = yield* prepare(yield* decodeEngineOptions(given))
    const { pooler } = prepared.model.facts
    return yield* pooler === undefined ? makeGenerator(prepared) : makePooler(prepared, pooler, load)
  })

export const layer = (options: EngineOptions): Layer.Layer<Engine, StartError, EngineNeeds> =>
  Layer.scoped(Engine, make(options))
