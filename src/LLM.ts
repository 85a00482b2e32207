import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { listConversations } from "./domain/chat/conversations.ts"
import type { EngineOptions } from "./domain/config/engineOptions.ts"
import type { GenerateError } from "./domain/errors.ts"
import type { PoolingInput } from "./domain/pooling/poolingParams.ts"
import type { ChatRequest, GenerateRequest, PoolRequest } from "./domain/request/generateRequest.ts"
import type {
  BeamSearchOutput,
  ChatDelta,
  ClassificationRequestOutput,
  EmbeddingRequestOutput,
  GenerationDelta,
  PoolingRequestOutput,
  RequestOutput,
  ScoringRequestOutput
} from "./domain/request/outputs.ts"
import type { Ended } from "./domain/request/progress.ts"
import { type Prompt, type Prompts, spread } from "./domain/request/prompts.ts"
import type { BeamSearchInput, BeamSearchParams } from "./domain/sampling/beamParams.ts"
import type { SamplingInput } from "./domain/sampling/samplingParams.ts"
import { layerWithHubConfig } from "./layers/compose/engine.ts"
import { beamSearch, complete, completeBeams, completeChat } from "./layers/engine/derived.ts"
import { generateObject, type JsonSchema, type PartialValue, streamObject } from "./layers/engine/object.ts"
import { classify, embed, encode, reward, scores } from "./layers/engine/pooling/pooled.ts"
import { deltaIterable } from "./llm/deltaIterable.ts"
import type {
  BatchOptions,
  ChatOptions,
  ChatRequestOptions,
  PoolOptions,
  RequestOptions,
  ScoreOptions
} from "./llm/options.ts"
import {
  checked,
  isBeams,
  type Message,
  objectRequest,
  type Params,
  requestFields,
  requestOf,
  requestsOf
} from "./llm/requests.ts"
import { settle } from "./llm/settle.ts"
import { withTemplateFile } from "./llm/templateFile.ts"
import { watchProgress } from "./llm/watchProgress.ts"
import type { ChatTemplateOptions } from "./services/ChatTemplate.ts"
import { Engine, type EngineMetrics, type EngineService, type ServedModel } from "./services/Engine.ts"

type PoolParams = Params<PoolingInput>
type Pooling<Output> = (request: Omit<PoolRequest, "task">) => Effect.Effect<Output, GenerateError, Engine>

/** What the engine has to say goes to stderr: stdout is the caller's. */
const logToStderr = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.stringLogger))

/** An engine for people who want promises. Every method rejects with one of the tagged errors of `GenerateError`. */
export class LLM {
  /** What is served. */
  readonly model: ServedModel

  private constructor(
    private readonly engine: EngineService,
    private readonly scope: Scope.CloseableScope
  ) {
    this.model = engine.model
  }

  /** Loads a model: a local folder, or one of the Hub by `HF_*` of the environment. Rejects with one of `StartError`. */
  static async create(options: EngineOptions): Promise<LLM> {
    return LLM.fromLayer(layerWithHubConfig(options))
  }

  /** The facade over any engine: a null one in a test, a remote one. */
  static async fromLayer<E>(engine: Layer.Layer<Engine, E>): Promise<LLM> {
    const scope = await settle(Scope.make())
    const built = Layer.buildWithScope(Layer.provide(engine, logToStderr), scope).pipe(
      Effect.flatMap((context) => Effect.provide(Engine, context)),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return new LLM(await settle(built), scope)
  }

  /**
   * One output for each prompt, in their order. The first that fails rejects the whole and cancels the others. Where the
   * parameters are BeamSearchParams, a beam search: its outputs are the beams.
   */
  generate(
    prompts: Prompts,
    params: Params<SamplingInput | BeamSearchParams> = {},
    options: BatchOptions = {}
  ): Promise<ReadonlyArray<RequestOutput>> {
    return this.batch(
      requestsOf(prompts, params, options),
      (request) => (isBeams(request) ? completeBeams(request) : complete(request as GenerateRequest)),
      options
    )
  }

  /** The best beams of each prompt, in their order. */
  beamSearch(
    prompts: Prompts,
    params: Params<BeamSearchInput> = {},
    options: BatchOptions = {}
  ): Promise<ReadonlyArray<BeamSearchOutput>> {
    return this.batch(requestsOf(prompts, params, options), beamSearch, options)
  }

  /** A request's deltas; `break` or the signal cancels it. The request begins with the first `next()`. */
  stream(prompt: Prompt, params: SamplingInput = {}, options: RequestOptions = {}): AsyncIterable<GenerationDelta> {
    const submit = Effect.flatMap(requestOf(prompt, params, options), (request) => this.engine.submit(request))
    return deltaIterable(submit, options.signal)
  }

  /**
   * Replies to one conversation, or to several. `text` is the answer; the tool calls and the reasoning in a reply stand
   * beside it as `toolCalls` and `reasoning`.
   */
  chat(
    messages: ReadonlyArray<Message> | ReadonlyArray<ReadonlyArray<Message>>,
    params: Params = {},
    options: ChatOptions = {}
  ): Promise<ReadonlyArray<RequestOutput>> {
    const requests = Effect.gen(function* () {
      const chats = yield* listConversations(messages)
      const all = yield* checked(spread("params", params, chats.length))
      const fields = yield* withTemplateFile(requestFields(options))
      return chats.map((chat, at): ChatRequest => ({ ...fields, messages: chat, params: all[at] }))
    })
    return this.batch(requests, completeChat, options)
  }

  /** A chat reply in pieces: text, reasoning and tool calls told apart. `break` or the signal cancels it. */
  streamChat(
    messages: ReadonlyArray<Message>,
    params: SamplingInput = {},
    options: ChatRequestOptions = {}
  ): AsyncIterable<ChatDelta> {
    const chat = messages as ChatRequest["messages"]
    const submit = Effect.flatMap(withTemplateFile(requestFields(options)), (fields) =>
      this.engine.submitChat({ ...fields, messages: chat, params })
    )
    return deltaIterable(submit, options.signal)
  }

  /** The object that a model replies with to a prompt or a chat: decoded by an Effect Schema, or as a JSON Schema describes it. */
  generateObject<A, I>(
    promptOrMessages: Prompt | ReadonlyArray<Message>,
    schema: Schema.Schema<A, I>,
    params?: SamplingInput,
    options?: ChatRequestOptions
  ): Promise<A>
  generateObject(
    promptOrMessages: Prompt | ReadonlyArray<Message>,
    schema: JsonSchema,
    params?: SamplingInput,
    options?: ChatRequestOptions
  ): Promise<unknown>
  generateObject<A, I>(
    promptOrMessages: Prompt | ReadonlyArray<Message>,
    schema: Schema.Schema<A, I> | JsonSchema,
    params: SamplingInput = {},
    options: ChatRequestOptions = {}
  ): Promise<unknown> {
    const made = Effect.flatMap(objectRequest(promptOrMessages, params, options), (request) =>
      generateObject(request, schema as Schema.Schema<A, I>)
    )
    return settle(Effect.provideService(made, Engine, this.engine), options.signal)
  }

  /** The same as it comes: partial values, each an extension of the one before, then the whole. */
  streamObject<A, I>(
    promptOrMessages: Prompt | ReadonlyArray<Message>,
    schema: Schema.Schema<A, I>,
    params?: SamplingInput,
    options?: ChatRequestOptions
  ): AsyncIterable<PartialValue<I> | A>
  streamObject(
    promptOrMessages: Prompt | ReadonlyArray<Message>,
    schema: JsonSchema,
    params?: SamplingInput,
    options?: ChatRequestOptions
  ): AsyncIterable<unknown>
  streamObject<A, I>(
    promptOrMessages: Prompt | ReadonlyArray<Message>,
    schema: Schema.Schema<A, I> | JsonSchema,
    params: SamplingInput = {},
    options: ChatRequestOptions = {}
  ): AsyncIterable<unknown> {
    const values = Effect.map(objectRequest(promptOrMessages, params, options), (request) => ({
      deltas: Stream.provideService(streamObject(request, schema as Schema.Schema<A, I>), Engine, this.engine)
    }))
    return deltaIterable(values, options.signal)
  }

  /** What the model's pooler gives for each prompt: one row, or a row for every token. */
  encode(prompts: Prompts, params?: PoolParams, options?: PoolOptions): Promise<ReadonlyArray<PoolingRequestOutput>> {
    return this.pooled(encode, prompts, params, options)
  }

  /** One embedding for each prompt. */
  embed(prompts: Prompts, params?: PoolParams, options?: PoolOptions): Promise<ReadonlyArray<EmbeddingRequestOutput>> {
    return this.pooled(embed, prompts, params, options)
  }

  /** The probability of each label, for each prompt. */
  classify(
    prompts: Prompts,
    params?: PoolParams,
    options?: PoolOptions
  ): Promise<ReadonlyArray<ClassificationRequestOutput>> {
    return this.pooled(classify, prompts, params, options)
  }

  /** What a reward model gives for each prompt: a row for every token, or for every step. */
  reward(prompts: Prompts, params?: PoolParams, options?: PoolOptions): Promise<ReadonlyArray<PoolingRequestOutput>> {
    return this.pooled(reward, prompts, params, options)
  }

  /** How well texts match: one against one, one against many, or two lists side by side. */
  score(
    texts1: string | ReadonlyArray<string>,
    texts2: string | ReadonlyArray<string>,
    options: ScoreOptions = {}
  ): Promise<ReadonlyArray<ScoringRequestOutput>> {
    const { poolingParams, ...rest } = options
    const params = poolingParams === undefined ? {} : { params: poolingParams }
    const request = { ...requestFields(rest), ...params, texts1, texts2 }
    return this.batch(scores(request), (pair) => pair, options)
  }

  async tokenize(text: string, options?: { readonly addSpecialTokens?: boolean }): Promise<Array<number>> {
    return [...(await settle(this.engine.tokenize(text, options)))]
  }

  detokenize(ids: ReadonlyArray<number>, options?: { readonly skipSpecialTokens?: boolean }): Promise<string> {
    return settle(this.engine.detokenize(ids, options))
  }

  /** The prompt that a chat becomes. Messages are rendered untouched. */
  applyChatTemplate(messages: ReadonlyArray<Message>, options: ChatTemplateOptions = {}): Promise<string> {
    return settle(Effect.flatMap(withTemplateFile(options), (given) => this.engine.applyChatTemplate(messages, given)))
  }

  /** Ends a request with finish reason "abort". */
  abort(requestId: string): Promise<void> {
    return settle(this.engine.abort(requestId))
  }

  getMetrics(): Promise<EngineMetrics> {
    return settle(this.engine.metrics)
  }

  /** Ends what is running with EngineClosed and gives memory and threads back. Again: nothing. */
  close(): Promise<void> {
    return settle(Scope.close(this.scope, Exit.void))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private pooled<Output extends Ended>(
    run: Pooling<Output>,
    prompts: Prompts,
    params: PoolParams = {},
    options: PoolOptions = {}
  ): Promise<ReadonlyArray<Output>> {
    return this.batch(requestsOf(prompts, params, options), run, options)
  }

  private batch<R, A extends Ended>(
    requests: Effect.Effect<ReadonlyArray<R>, GenerateError, Engine>,
    run: (request: R) => Effect.Effect<A, GenerateError, Engine>,
    { progress = false, signal }: BatchOptions
  ): Promise<ReadonlyArray<A>> {
    const all = Effect.gen(this, function* () {
      const list = yield* requests
      const watch = yield* watchProgress(list.length, progress)
      return yield* Effect.forEach(list, (request) => Effect.tap(run(request), watch), { concurrency: "unbounded" })
    })
    return settle(Effect.scoped(Effect.provideService(all, Engine, this.engine)), signal)
  }
}
