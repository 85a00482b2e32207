import * as Either from "effect/Either"
import { type AdmissionError, InvalidRequest, QueueFull } from "../../domain/errors.ts"

export interface GateOptions {
  /** What ids begin with that nobody chose. */
  readonly prefix: string
  /** Why the engine takes no more work; undefined while it does. */
  readonly refusal: () => AdmissionError | undefined
  readonly isTaken: (requestId: string) => boolean
  readonly queued: () => number
  /** Infinity: unbounded. */
  readonly maxQueuedRequests: number
}

/** Lets a request in under an id that is free, while the queue has room. Who is let in must be inserted at once. */
export const makeGate = ({ prefix, refusal, isTaken, queued, maxQueuedRequests }: GateOptions) => {
  let requests = 0
  const freshId = () => {
    let id = `${prefix}-${requests++}`
    while (isTaken(id)) id = `${prefix}-${requests++}`
    return id
  }
  return (given: string | undefined): Either.Either<string, AdmissionError> => {
    const refused = refusal()
    if (refused !== undefined) return Either.left(refused)
    const requestId = given ?? freshId()
    if (isTaken(requestId))
      return Either.left(
        new InvalidRequest({
          field: "requestId",
          given: JSON.stringify(requestId),
          expected: "an id that no request in flight has",
          mend: "Choose another, or leave it out."
        })
      )
    if (maxQueuedRequests < Number.POSITIVE_INFINITY && queued() >= maxQueuedRequests)
      return Either.left(new QueueFull({ maxQueuedRequests }))
    return Either.right(requestId)
  }
}
