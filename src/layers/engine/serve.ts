import * as Effect from "effect/Effect"
import { TaskUnsupported } from "../../domain/errors.ts"
import type { EngineService } from "../../services/Engine.ts"
import { type Admission, makeAdmit } from "./admit.ts"
import { makeBeamSearch } from "./beamSearch.ts"
import { makeSubmitChat, renderChat } from "./chat.ts"
import { startLife } from "./life.ts"
import { runReaper } from "./loop.ts"
import type { Pull } from "./outbox.ts"
import type { EngineParts } from "./parts.ts"
import { RequestTable } from "./requestTable.ts"
import { makeSubmit } from "./submit.ts"
import { Waker } from "./waker.ts"
import { makeWords } from "./words.ts"

/** Starts the loop in the caller's Scope and answers the service that feeds it. */
export const serve = Effect.fnUntraced(function* (parts: EngineParts) {
  const { scheduler, model, served, tokenizer, template, options } = parts
  const clock = yield* Effect.clock
  const now = () => clock.unsafeCurrentTimeMillis()
  const work = Effect.unsafeMakeLatch(false)
  const expiries = Effect.unsafeMakeLatch(false)
  const table = new RequestTable({
    scheduler,
    now,
    maxParkedTime: options.maxParkedMillis,
    wakeLoop: () => work.unsafeOpen(),
    wakeReaper: () => expiries.unsafeOpen()
  })
  const life = yield* startLife({
    scheduler,
    table,
    model,
    depth: options.overlap ? 2 : 1,
    work,
    beside: runReaper(table, now, expiries)
  })
  let sequences = 0
  let arrivals = 0
  const admission: Admission = {
    table,
    now,
    refusal: life.refusal,
    wake: new Waker<Pull>().wake,
    nextSequence: () => sequences++,
    nextArrival: () => arrivals++
  }
  const admit = makeAdmit(parts, admission)
  const submit = makeSubmit(parts, admission, admit)
  const unsupported = (task: string) => new TaskUnsupported({ task, supported: served.tasks })
  const words = makeWords(tokenizer, served.vocabSize)
  const applyChatTemplate: EngineService["applyChatTemplate"] = (messages, options) =>
    renderChat(template, messages, options)
  const service: EngineService = {
    model: served,
    submit,
    submitChat: makeSubmitChat({ model: served, submit, tokenize: words.tokenize, applyChatTemplate }),
    pool: ({ task }) => unsupported(task),
    beamSearch: makeBeamSearch(parts, admission, admit),
    ...words,
    applyChatTemplate,
    abort: (requestId) =>
      Effect.sync(() => {
        table.get(requestId)?.abort(null)
      }),
    metrics: Effect.sync(() => {
      const { promptTokens, generationTokens, finishedRequests } = table
      return { ...scheduler.counts(), promptTokens, generationTokens, finishedRequests }
    }),
    health: Effect.sync(() => life.health())
  }
  return service
})
