import type { StepResult } from "../../domain/batch/step.ts"
import { DeadlineExceeded, type RunError } from "../../domain/errors.ts"
import type { Sequence } from "../../domain/request/sequence.ts"
import type { Scheduler, SequenceEvent } from "../../domain/schedule/scheduler.ts"

/** An admitted request, whatever is made of its tokens. Times are milliseconds of the engine's clock; Infinity: never. */
export interface Request {
  readonly requestId: string
  readonly deadline: number
  parkedAt: number
  /** Those that the scheduler has of it, in the order of their ids. The first computes the prompt for all. */
  readonly sequences: ReadonlyArray<Sequence>
  /** What a retired step says of one of its sequences. */
  hear(event: SequenceEvent, result: StepResult): void
  /** Ends what is left of it with finish reason "abort": no error, the reader sees the end. */
  abort(stopReason: string | null): void
  /** It has been taken out: its reader hears of the error, after what was delivered. */
  fail(error: RunError): void
}

export interface RequestTableOptions {
  readonly scheduler: Scheduler
  readonly now: () => number
  readonly maxParkedTime: number
  /** The loop may have work; called after anything that frees, adds or resumes. */
  readonly wakeLoop: () => void
  /** The earliest expiry may have moved closer. */
  readonly wakeReaper: () => void
}

/** Every request that the engine has admitted and not ended. Owned by one engine; all of it is synchronous. */
export class RequestTable {
  promptTokens = 0
  generationTokens = 0
  finishedRequests = 0
  private readonly byId = new Map<string, Request>()
  private readonly bySequence = new Map<number, Request>()

  constructor(private readonly options: RequestTableOptions) {}

  get size(): number {
    return this.byId.size
  }

  /** Requests of which nothing runs yet: all of it waits. */
  get queued(): number {
    let queued = 0
    for (const { sequences } of this.byId.values()) if (sequences.every(({ status }) => status === "waiting")) queued++
    return queued
  }

  get(requestId: string): Request | undefined {
    return this.byId.get(requestId)
  }

  add(request: Request): void {
    const { requestId, deadline, sequences } = request
    this.byId.set(requestId, request)
    for (const { id } of sequences) this.bySequence.set(id, request)
    const [first, ...forks] = sequences
    this.options.scheduler.add(first!, forks)
    if (deadline !== Number.POSITIVE_INFINITY) this.options.wakeReaper()
    this.options.wakeLoop()
  }

  /** One more sequence of a request, which goes on from where another of it stands. */
  fork(request: Request, parent: Sequence, child: Sequence): void {
    this.bySequence.set(child.id, request)
    this.options.scheduler.fork(parent, child)
  }

  settle(sequence: Sequence, token: number): void {
    this.options.scheduler.settle(sequence, token)
    this.options.wakeLoop()
  }

  /** Takes one sequence out of the scheduler, whose blocks may let others run. */
  end(sequence: Sequence): void {
    this.bySequence.delete(sequence.id)
    this.options.scheduler.finish(sequence)
    this.options.wakeLoop()
  }

  /** A request has come to its own end. */
  finished({ requestId }: Request): void {
    this.byId.delete(requestId)
    this.finishedRequests++
  }

  /** Hands on what a retired step brought. */
  apply(events: ReadonlyArray<SequenceEvent>, result: StepResult): void {
    for (const event of events) this.bySequence.get(event.sequence.id)?.hear(event, result)
  }

  /** Ends a request with an error, after what it has delivered. */
  fail(request: Request, error: RunError): void {
    this.remove(request)
    request.fail(error)
  }

  failAll(error: RunError): void {
    for (const request of [...this.byId.values()]) this.fail(request, error)
  }

  /** The reader has gone: nobody is told, the blocks return when the steps already submitted have retired. */
  drop(request: Request): void {
    if (this.byId.get(request.requestId) === request) this.remove(request)
  }

  /** The reader is too far behind: the request keeps its blocks and gets no compute. */
  park(request: Request): void {
    request.parkedAt = this.options.now()
    for (const sequence of request.sequences) this.options.scheduler.park(sequence)
    this.options.wakeReaper()
    this.options.wakeLoop()
  }

  resume(request: Request): void {
    request.parkedAt = Number.POSITIVE_INFINITY
    for (const sequence of request.sequences) this.options.scheduler.resume(sequence)
    this.options.wakeLoop()
  }

  /** When the next request passes its deadline or has been parked for too long. */
  nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { deadline, parkedAt } of this.byId.values())
      next = Math.min(next, deadline, parkedAt + this.options.maxParkedTime)
    return next
  }

  expire(): void {
    const now = this.options.now()
    for (const request of [...this.byId.values()]) {
      if (request.deadline <= now) this.fail(request, new DeadlineExceeded({ requestId: request.requestId }))
      else if (request.parkedAt + this.options.maxParkedTime <= now) request.abort("parked")
    }
  }

  private remove(request: Request): void {
    this.byId.delete(request.requestId)
    for (const sequence of [...request.sequences]) this.end(sequence)
  }
}
