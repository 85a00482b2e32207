import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { decodeEngineOptions, type EngineOptions } from "../../../domain/config/engineOptions.ts"
import { resolve } from "../../../domain/config/resolve.ts"
import type { StartError } from "../../../domain/errors.ts"
import type { Plan } from "../../../domain/plan/plan.ts"
import { noDefaults } from "../../../domain/sampling/generationConfig.ts"
import { chooseParsers } from "../../../domain/tools/reading.ts"
import { Backend } from "../../../services/Backend.ts"
import type { BlockAllocator } from "../../../services/BlockAllocator.ts"
import { ChatTemplate } from "../../../services/ChatTemplate.ts"
import { Engine, type EngineService } from "../../../services/Engine.ts"
import { Grammar } from "../../../services/Grammar.ts"
import type { ModelFolder } from "../../../services/ModelSource.ts"
import { Sampler } from "../../../services/Sampler.ts"
import type { Scheduler } from "../../../services/Scheduler.ts"
import { makeScheduler } from "../Engine.ts"
import { serve } from "../serve.ts"
import { bytesTokenizer, endOfText, vocabSize } from "./bytesTokenizer.ts"
import { plainTemplate } from "./plainTemplate.ts"

const kvBytesPerToken = 8
const maxModelLen = 4096

/** A plan that computes nothing: one cache group, no instruction, no weight. */
const plan: Plan = {
  architecture: "NullForCausalLM",
  dtype: "float32",
  instructions: [],
  headStart: 0,
  slots: [],
  tokenBytes: 0,
  outputBytes: 0,
  weights: [],
  cacheGroups: [{ layers: 1, kvHeads: 1, keyDim: 1, valueDim: 1, dtype: "float32", window: 0 }],
  logits: { kind: "view", slot: 0, column: 0, columns: vocabSize },
  vocabSize
}

const noTensors = { files: [], tensors: new Map() }

/** What a checkpoint without any file would be. */
const emptyFolder: ModelFolder = {
  path: "null",
  config: {},
  generationConfig: undefined,
  readText: () => Effect.succeed(undefined),
  list: () => Effect.succeed([]),
  tensors: Effect.succeed(noTensors),
  tensorsIn: () => Effect.succeed(noTensors)
}

/** Where the template language is at hand, a chat may bring its own template; the null engine has none itself. */
const givenTemplates = Effect.flatMap(Effect.serviceOption(ChatTemplate), (found) =>
  Option.isNone(found) ? Effect.succeed(undefined) : found.value.load(emptyFolder)
)

export interface NullEngineOptions extends Partial<Omit<EngineOptions, "device">> {
  /** Usable KV blocks; by default enough for 64 sequences of maxModelLen. */
  readonly kvBlocks?: number
  /** Renders chats, one line a message. Off: the engine has no chat template, as some checkpoints have none. */
  readonly plainChats?: boolean
}

/** An engine without a checkpoint over whatever Backend there is: prompts are bytes, replies what the device says. */
export const make = ({
  kvBlocks,
  plainChats = false,
  ...given
}: NullEngineOptions): Effect.Effect<
  EngineService,
  StartError,
  Backend | Sampler | Grammar | Scheduler | BlockAllocator | Scope.Scope
> =>
  Effect.gen(function* () {
    const options = yield* decodeEngineOptions({ model: "null", ...given })
    const backend = yield* Backend
    const facts = { parameters: 0, maxModelLen: options.maxModelLen ?? maxModelLen }
    const kvBlockBytes = (blockSize: number) => kvBytesPerToken * blockSize
    const device = { ...backend.device, memory: Number.MAX_SAFE_INTEGER }
    const derived = yield* resolve({ options, facts, device, weightBytes: 0, arenaBytesPerToken: 0, kvBlockBytes })
    const resolved = { ...derived, blocks: kvBlocks ?? derived.blocks }
    const { maxNumBatchedTokens: maxTokens, maxNumSeqs: maxSequences, blockSize } = resolved.scheduler
    const scheduler = yield* makeScheduler(resolved)
    const capacity = { maxTokens, maxSequences, blocks: resolved.blocks, blockSize }
    const model = yield* backend.load({ plan, tensors: noTensors, capacity })
    const tokenizer = options.skipTokenizerInit === true ? undefined : bytesTokenizer
    const sampling = {
      vocabSize,
      modelVocabSize: vocabSize,
      maxLogprobs: resolved.maxLogprobs,
      eosTokenIds: [endOfText],
      tokenizer,
      seed: resolved.seed
    }
    return yield* serve({
      served: {
        name: options.servedModelName ?? options.model,
        architecture: plan.architecture,
        tasks: ["generate"],
        device: backend.device.description,
        dtype: plan.dtype,
        vocabSize,
        maxModelLen: facts.maxModelLen,
        maxNumSeqs: maxSequences,
        maxNumBatchedTokens: maxTokens,
        blockSize,
        kvBlocks: resolved.blocks,
        weightBytes: model.weightBytes,
        cacheBytes: model.cacheBytes,
        tokenizer: tokenizer !== undefined,
        chatTemplate: plainChats,
        ...chooseParsers(options, "")
      },
      options: resolved,
      model,
      scheduler,
      tokenizer,
      template: plainChats ? plainTemplate : yield* givenTemplates,
      sampler: (yield* Sampler).make({ defaults: noDefaults, facts: sampling }),
      grammars: tokenizer && (yield* Grammar).make(tokenizer, vocabSize)
    })
  })

export const layer = (
  options: NullEngineOptions = {}
): Layer.Layer<Engine, StartError, Backend | Sampler | Grammar | Scheduler | BlockAllocator> =>
  Layer.scoped(Engine, make(options))
