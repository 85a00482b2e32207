import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { EngineOptions } from "./domain/config/engineOptions.ts"
import type { GenerateError, StartError } from "./domain/errors.ts"
import type { ChatRequest, GenerateRequest } from "./domain/request/generateRequest.ts"
import type { ChatDelta, GenerationDelta, RequestOutput } from "./domain/request/outputs.ts"
import { layer } from "./layers/compose/engine.ts"
import { layerConfig } from "./layers/compose/engineConfig.ts"
import { type LayerNullOptions, layerNull } from "./layers/compose/null.ts"
import { chat, complete, completeChat, generate } from "./layers/engine/derived.ts"
import { Engine, type EngineService } from "./services/Engine.ts"

/** What an application's own tag has beside the tag: the engine's layers and functions, for this engine and no other. */
export interface EngineTagStatics<Self> {
  readonly layer: (options: EngineOptions) => Layer.Layer<Self, StartError>
  readonly layerConfig: (overrides?: Partial<EngineOptions>) => Layer.Layer<Self, StartError>
  readonly layerNull: (options?: LayerNullOptions) => Layer.Layer<Self, StartError>
  /** Any engine under this tag: a remote one, or one of a `LayerMap`. */
  readonly from: <E, R>(engine: Layer.Layer<Engine, E, R>) => Layer.Layer<Self, E, R>
  /** This engine under the common tag, for whatever is derived over `Engine`. */
  readonly asEngine: Layer.Layer<Engine, never, Self>
  readonly generate: (request: GenerateRequest) => Stream.Stream<GenerationDelta, GenerateError, Self>
  readonly complete: (request: GenerateRequest) => Effect.Effect<RequestOutput, GenerateError, Self>
  readonly chat: (request: ChatRequest) => Stream.Stream<ChatDelta, GenerateError, Self>
  readonly completeChat: (request: ChatRequest) => Effect.Effect<RequestOutput, GenerateError, Self>
}

/**
 * A tag for one of an application's engines, so that several live in one program and none is taken for another:
 *
 * ```ts
 * class Writer extends Engine.Service<Writer>()("app/Writer") {}
 * class Judge extends Engine.Service<Judge>()("app/Judge") {}
 *
 * Writer.complete({ prompt: "Once" }).pipe(Effect.provide(Writer.layer({ model: "models/brook" })))
 * ```
 */
export const engineService =
  <Self>() =>
  <const Id extends string>(id: Id): Context.TagClass<Self, Id, EngineService> & EngineTagStatics<Self> => {
    const tag = Context.Tag(id)<Self, EngineService>()
    const from: EngineTagStatics<Self>["from"] = (engine) =>
      Layer.map(engine, (context) => Context.make(tag, Context.get(context, Engine)))
    const here = <A, E>(effect: Effect.Effect<A, E, Engine>): Effect.Effect<A, E, Self> =>
      Effect.provideServiceEffect(effect, Engine, tag)
    const flowing = <A, E>(stream: Stream.Stream<A, E, Engine>): Stream.Stream<A, E, Self> =>
      Stream.provideServiceEffect(stream, Engine, tag)
    const statics: EngineTagStatics<Self> = {
      layer: (options) => from(layer(options)),
      layerConfig: (overrides) => from(layerConfig(overrides)),
      layerNull: (options) => from(layerNull(options)),
      from,
      asEngine: Layer.effect(Engine, tag),
      generate: (request) => flowing(generate(request)),
      complete: (request) => here(complete(request)),
      chat: (request) => flowing(chat(request)),
      completeChat: (request) => here(completeChat(request))
    }
    return Object.assign(tag, statics)
  }
