import * as Effect from "effect/Effect"
import { type AdmissionError, InvalidRequest, QueueFull } from "../../domain/errors.ts"
import { GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { EngineService } from "../../services/Engine.ts"
import { checkPrompt, checkReplies, checkServed, decodeRequest, promptIds, truncatePrompt } from "./admission.ts"
import { newGeneration, type Prepared } from "./newGeneration.ts"
import type { Pull } from "./outbox.ts"
import type { EngineParts } from "./parts.ts"
import { pullStream } from "./pullStream.ts"
import type { Request, RequestTable } from "./requestTable.ts"
import type { Waker } from "./waker.ts"

export interface Admission {
  readonly table: RequestTable
  readonly now: () => number
  readonly wake: Waker<Pull>["wake"]
  /** Why the engine takes no more work; undefined while it does. */
  readonly refusal: () => AdmissionError | undefined
  /** Sequence ids, which grow with arrival. */
  readonly nextSequence: () => number
  /** Counts what has asked to be admitted: with the engine's seed it seeds those without a seed. */
  readonly nextArrival: () => number
}

/** The one synchronous insert: an id that is free, room in the queue, then what `make` makes of it. */
export const makeAdmit = (parts: EngineParts, { table, refusal }: Admission) => {
  let requests = 0
  const freshId = () => {
    let id = `request-${requests++}`
    while (table.get(id) !== undefined) id = `request-${requests++}`
    return id
  }
  return <R extends Request>(
    given: string | undefined,
    make: (requestId: string) => R
  ): Effect.Effect<R, AdmissionError> =>
    Effect.suspend((): Effect.Effect<R, AdmissionError> => {
      const refused = refusal()
      if (refused !== undefined) return refused
      const requestId = given ?? freshId()
      if (table.get(requestId) !== undefined)
        return new InvalidRequest({
          field: "requestId",
          given: JSON.stringify(requestId),
          expected: "an id that no request in flight has",
          mend: "Choose another, or leave it out."
        })
      const { maxQueuedRequests } = parts.options
      if (maxQueuedRequests < Number.POSITIVE_INFINITY && table.queued >= maxQueuedRequests)
        return new QueueFull({ maxQueuedRequests })
      const request = make(requestId)
      table.add(request)
      return Effect.succeed(request)
    })
}

export type Admit = ReturnType<typeof makeAdmit>

export const makeSubmit = (parts: EngineParts, admission: Admission, admit: Admit): EngineService["submit"] => {
  const { table, refusal, nextArrival } = admission

  const prepare = Effect.fnUntraced(function* (given: GenerateRequest) {
    // First the parameters by themselves: what is wrong in them is then named as their user knows it.
    const sampling = yield* parts.sampler.resolve(given?.params, nextArrival())
    const request = yield* decodeRequest(GenerateRequest, given)
    const unserved = checkServed(request, parts.options.scheduler.policy)
    if (unserved !== undefined) return yield* unserved
    // A text may be long: whoever interrupts is heard before and after it is tokenised, and nothing has been taken yet.
    yield* Effect.yieldNow()
    const ids = yield* promptIds(request, parts.tokenizer)
    yield* Effect.yieldNow()
    const promptTokenIds = yield* truncatePrompt(ids, sampling.truncatePromptTokens, parts.served)
    const name = sampling.candidates > sampling.n ? "bestOf" : "n"
    const problem =
      checkPrompt(promptTokenIds, parts.served) ??
      checkReplies(name, sampling.candidates, promptTokenIds.length, parts.served)
    if (problem !== undefined) return yield* problem
    const { structuredOutputs } = sampling
    const grammar = structuredOutputs && (yield* parts.grammars!.compile(structuredOutputs))
    return { request, promptTokenIds, sampling, grammar } satisfies Prepared
  })

  return (given) =>
    Effect.gen(function* () {
      const refused = refusal()
      if (refused !== undefined) return yield* refused
      const prepared = yield* prepare(given)
      const admitted = admit(prepared.request.requestId, (id) => newGeneration(id, prepared, parts, admission))
      const request = yield* Effect.acquireRelease(admitted, (taken) => Effect.sync(() => table.drop(taken)))
      return {
        requestId: request.requestId,
        promptTokenIds: prepared.promptTokenIds,
        deltas: pullStream(request.outbox.pull)
      }
    })
}
