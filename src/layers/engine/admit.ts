import * as Effect from "effect/Effect"
import { type AdmissionError, InvalidRequest, QueueFull } from "../../domain/errors.ts"
import type { Pull } from "./outbox.ts"
import type { EngineParts } from "./parts.ts"
import type { Request, RequestTable } from "./requestTable.ts"
import type { Waker } from "./waker.ts"

/** What admitting a request takes of its engine. */
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
