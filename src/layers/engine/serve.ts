import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { DeviceFailed, EngineClosed, EngineUnavailable, TaskUnsupported } from "../../domain/errors.ts"
import type { EngineService, Health } from "../../services/Engine.ts"
import { requireTokenizer } from "./admission.ts"
import { makeSubmitChat, renderChat } from "./chat.ts"
import { runLoop, runReaper } from "./loop.ts"
import type { Pull } from "./outbox.ts"
import type { EngineParts } from "./parts.ts"
import { RequestTable } from "./requestTable.ts"
import { type Admission, makeAdmit, makeSubmit } from "./submit.ts"
import { Waker } from "./waker.ts"

const failureOf = (cause: Cause.Cause<DeviceFailed>): DeviceFailed => {
  const failure = Cause.failureOption(cause)
  return failure._tag === "Some"
    ? failure.value
    : new DeviceFailed({ operation: "the engine loop", reason: Cause.pretty(cause) })
}

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
  let health: Health = { status: "ready" }

  const loop = runLoop({ scheduler, table, model, depth: options.overlap ? 2 : 1, work }).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (health.status !== "ready" || !Exit.isFailure(exit)) return
        const error = failureOf(exit.cause)
        health = { status: "dead", error }
        table.failAll(error)
      })
    )
  )
  const fibers = [yield* Effect.forkDaemon(loop), yield* Effect.forkDaemon(runReaper(table, now, expiries))]
  // Admission closes and every reader learns of it first; then the steps in flight retire; only then memory may go.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      if (health.status === "ready") health = { status: "closed" }
      table.failAll(new EngineClosed())
      return Fiber.interruptAll(fibers)
    })
  )

  const refusal = () => {
    if (health.status === "ready") return undefined
    return health.status === "closed"
      ? new EngineClosed()
      : new EngineUnavailable({ reason: `it has stopped after a failure (${health.error.message})` })
  }
  let sequences = 0
  let arrivals = 0
  const admission: Admission = {
    table,
    now,
    refusal,
    wake: new Waker<Pull>().wake,
    nextSequence: () => sequences++,
    nextArrival: () => arrivals++
  }
  const admit = makeAdmit(parts, admission)
  const submit = makeSubmit(parts, admission, admit)
  const unsupported = (task: string) => new TaskUnsupported({ task, supported: served.tasks })
  const tokenize: EngineService["tokenize"] = (text, options) =>
    Effect.map(requireTokenizer(tokenizer, "text"), (t) => t.encode(text, options))
  const applyChatTemplate: EngineService["applyChatTemplate"] = (messages, options) =>
    renderChat(template, messages, options)
  const service: EngineService = {
    model: served,
    submit,
    submitChat: makeSubmitChat({ model: served, submit, tokenize, applyChatTemplate }),
    pool: ({ task }) => unsupported(task),
    beamSearch: () => unsupported("beam search"),
    tokenize,
    detokenize: (ids, options) => Effect.map(requireTokenizer(tokenizer, "ids"), (t) => t.decode(ids, options)),
    applyChatTemplate,
    abort: (requestId) =>
      Effect.sync(() => {
        table.get(requestId)?.abort(null)
      }),
    metrics: Effect.sync(() => {
      const { promptTokens, generationTokens, finishedRequests } = table
      return { ...scheduler.counts(), promptTokens, generationTokens, finishedRequests }
    }),
    health: Effect.sync(() => health)
  }
  return service
})
