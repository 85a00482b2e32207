import * as Effect from "effect/Effect"
import { TaskUnsupported } from "../../../domain/errors.ts"
import type { EngineService } from "../../../services/Engine.ts"
import { renderChat } from "../chat.ts"
import { startLife } from "../life.ts"
import type { PoolerParts } from "../parts.ts"
import { makeWords } from "../words.ts"
import { makePool } from "./pool.ts"
import { PoolTable } from "./poolTable.ts"

/** Starts a pooling model's loop in the caller's Scope and answers the service that feeds it. It generates nothing. */
export const servePooler = Effect.fnUntraced(function* (parts: PoolerParts) {
  const { scheduler, model, served, tokenizer, template, options, widths } = parts
  const work = Effect.unsafeMakeLatch(false)
  const table = new PoolTable(scheduler, widths, () => work.unsafeOpen())
  const life = yield* startLife({ scheduler, table, model, depth: options.overlap ? 2 : 1, work })
  const cannot = (task: string) => new TaskUnsupported({ task, supported: served.tasks })
  const service: EngineService = {
    model: served,
    submit: () => cannot("generate"),
    submitChat: () => cannot("chat"),
    beamSearch: () => cannot("beam search"),
    pool: makePool(parts, table, life),
    ...makeWords(tokenizer, served.vocabSize),
    applyChatTemplate: (messages, how) => renderChat(template, messages, how),
    abort: (requestId) => Effect.sync(() => table.abort(requestId)),
    metrics: Effect.sync(() => {
      const { promptTokens, finishedRequests } = table
      return { ...scheduler.counts(), promptTokens, generationTokens: 0, finishedRequests }
    }),
    health: Effect.sync(() => life.health())
  }
  return service
})
