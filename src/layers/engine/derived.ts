import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type GenerateError, TaskUnsupported } from "../../domain/errors.ts"
import { foldDeltas } from "../../domain/request/fold.ts"
import type { BeamSearchRequest, ChatRequest, GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { BeamSearchOutput, ChatDelta, GenerationDelta, RequestOutput } from "../../domain/request/outputs.ts"
import { decodeSampling } from "../../domain/sampling/samplingParams.ts"
import { Engine } from "../../services/Engine.ts"
import { prepareChat, readChat } from "./chat.ts"

/** A request's deltas. Interrupting the stream gives its KV blocks back within one step. */
export const generate = (request: GenerateRequest): Stream.Stream<GenerationDelta, GenerateError, Engine> =>
  Stream.unwrapScoped(Effect.flatMap(Engine, (engine) => Effect.map(engine.submit(request), ({ deltas }) => deltas)))

/** The whole reply: what folding `generate` gives. */
export const complete = (request: GenerateRequest): Effect.Effect<RequestOutput, GenerateError, Engine> =>
  Effect.scoped(
    Effect.gen(function* () {
      const engine = yield* Engine
      // First as they were given: the kind below must not hide a wrong one.
      yield* decodeSampling(request?.params ?? {})
      // No reader waits for pieces: each output comes once, whole, and the request is never parked.
      const params = { ...request?.params, outputKind: "final" as const }
      const { requestId, promptTokenIds, deltas } = yield* engine.submit({ ...request, params })
      const all = yield* Stream.runCollect(deltas)
      return foldDeltas({ requestId, prompt: request.prompt ?? null, promptTokenIds }, Chunk.toReadonlyArray(all))
    })
  )

/** The best beams of a prompt. Interrupting gives its KV blocks back within one step. */
export const beamSearch = (request: BeamSearchRequest): Effect.Effect<BeamSearchOutput, GenerateError, Engine> =>
  Effect.flatMap(Engine, (engine) => engine.beamSearch(request))

/** The same as a reply with one output for each beam. */
export const completeBeams = (request: BeamSearchRequest): Effect.Effect<RequestOutput, GenerateError, Engine> =>
  Effect.map(beamSearch(request), ({ requestId, sequences }) => {
    const { tokenIds = [], outputTokenIds = [] } = sequences[0] ?? {}
    return {
      requestId,
      prompt: request.prompt ?? null,
      promptTokenIds: tokenIds.slice(0, tokenIds.length - outputTokenIds.length),
      promptLogprobs: null,
      outputs: sequences.map(({ text, outputTokenIds: ids, cumulativeLogprob, finishReason }, index) => ({
        index,
        text,
        tokenIds: ids,
        cumulativeLogprob,
        logprobs: null,
        finishReason,
        stopReason: finishReason === "stop" ? (ids.at(-1) ?? null) : null
      })),
      finished: true,
      numCachedTokens: 0,
      metrics: null
    }
  })

/** A chat's deltas, as `generate`. */
export const chat = (request: ChatRequest): Stream.Stream<ChatDelta, GenerateError, Engine> =>
  Stream.unwrapScoped(
    Effect.flatMap(Engine, (engine) => Effect.map(engine.submitChat(request), ({ deltas }) => deltas))
  )

/** The whole reply to a chat, its rendered text as the prompt: what folding `chat` gives, and the tokens that said it. */
export const completeChat = (request: ChatRequest): Effect.Effect<RequestOutput, GenerateError, Engine> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    // An encoder says so itself, before anybody looks for a chat template.
    const { tasks } = engine.model
    if (!tasks.includes("generate")) return yield* new TaskUnsupported({ task: "chat", supported: tasks })
    const chat = yield* prepareChat(engine, request)
    return readChat(chat, yield* Effect.mapError(complete(chat.request), chat.refused))
  })
