import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { AdmissionError } from "../../domain/errors.ts"
import { makeGate } from "./gate.ts"
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

/** The one synchronous insert: through the gate, then what `make` makes of the request. */
export const makeAdmit = (parts: EngineParts, { table, refusal }: Admission) => {
  const enter = makeGate({
    prefix: "request",
    refusal,
    isTaken: (requestId) => table.get(requestId) !== undefined,
    queued: () => table.queued,
    maxQueuedRequests: parts.options.maxQueuedRequests
  })
  return <R extends Request>(
    given: string | undefined,
    make: (requestId: string) => R
  ): Effect.Effect<R, AdmissionError> =>
    Effect.suspend(() =>
      Either.map(enter(given), (requestId) => {
        const request = make(requestId)
        table.add(request)
        return request
      })
    )
}

export type Admit = ReturnType<typeof makeAdmit>
