import type { StepResult } from "../../domain/batch/step.ts"
import { DeadlineExceeded, NumericalFault, type RunError } from "../../domain/errors.ts"
import { type Assembler, tokenLogprobs } from "../../domain/request/assemble.ts"
import type { TokenLogprobs } from "../../domain/request/outputs.ts"
import type { FinishReason, Sequence } from "../../domain/request/sequence.ts"
import type { Scheduler, SequenceEvent } from "../../domain/schedule/scheduler.ts"
import type { Outbox } from "./outbox.ts"

/** One output sequence of a request. */
export interface Output {
  readonly request: Request
  readonly index: number
  readonly sequence: Sequence
  readonly assembler: Assembler
  ended: boolean
}

/** An admitted request, from its insertion to its end. Times are milliseconds of the engine's clock; Infinity: never. */
export interface Request {
  readonly requestId: string
  readonly outputs: Array<Output>
  readonly outbox: Outbox
  readonly includeStopToken: boolean
  readonly arrivalTime: number
  readonly deadline: number
  readonly promptLogprobs: Array<TokenLogprobs | null> | undefined
  parkedAt: number
  firstTokenTime: number | null
  /** Output sequences that have not ended. */
  running: number
}

export interface RequestTableOptions {
  readonly scheduler: Scheduler
  readonly now: () => number
  readonly maxParkedTime: number
  readonly decodeToken: ((id: number) => string) | undefined
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
  private readonly bySequence = new Map<number, Output>()

  constructor(private readonly options: RequestTableOptions) {}

  get size(): number {
    return this.byId.size
  }

  get(requestId: string): Request | undefined {
    return this.byId.get(requestId)
  }

  add(request: Request): void {
    this.byId.set(request.requestId, request)
    for (const output of request.outputs) {
      this.bySequence.set(output.sequence.id, output)
      this.options.scheduler.add(output.sequence)
    }
    if (request.deadline !== Number.POSITIVE_INFINITY) this.options.wakeReaper()
    this.options.wakeLoop()
  }

  /** Hands on what a retired step brought. */
  apply(events: ReadonlyArray<SequenceEvent>, result: StepResult): void {
    for (const event of events) {
      const output = this.bySequence.get(event.sequence.id)
      if (output === undefined || output.ended) continue
      if (event.fault) this.fault(output)
      else {
        if (event.promptRows > 0) this.promptRows(output, event, result)
        if (event.token !== undefined) this.token(output, event, event.token, result)
      }
    }
  }

  /** Ends what is left of a request with finish reason "abort": no error, the reader sees the end of the stream. */
  abort(request: Request, stopReason: string | null): void {
    for (const output of request.outputs) if (!output.ended) this.finish(output, "abort", stopReason)
  }

  /** Ends a request with an error, after what it has delivered. */
  fail(request: Request, error: RunError): void {
    this.remove(request)
    request.outbox.end(error)
  }

  failAll(error: RunError): void {
    for (const request of [...this.byId.values()]) this.fail(request, error)
  }

  /** The reader has gone: nobody is told, the blocks return when the steps already submitted have retired. */
  drop(request: Request): void {
    if (request.running > 0) this.remove(request)
  }

  /** The reader is too far behind: the request keeps its blocks and gets no compute. */
  park(request: Request): void {
    request.parkedAt = this.options.now()
    for (const { ended, sequence } of request.outputs) if (!ended) this.options.scheduler.park(sequence)
    this.options.wakeReaper()
    this.options.wakeLoop()
  }

  resume(request: Request): void {
    request.parkedAt = Number.POSITIVE_INFINITY
    for (const { ended, sequence } of request.outputs) if (!ended) this.options.scheduler.resume(sequence)
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
      else if (request.parkedAt + this.options.maxParkedTime <= now) this.abort(request, "parked")
    }
  }

  private token(output: Output, event: SequenceEvent, token: number, result: StepResult): void {
    const { request, assembler, sequence } = output
    if (request.firstTokenTime === null) this.firstToken(request, sequence)
    const count = sequence.draw.logprobs
    const logprobs = count < 0 ? undefined : tokenLogprobs(result, event.row, count, this.options.decodeToken)
    const text = assembler.push(token, event.finishReason === "stop" && !request.includeStopToken)
    this.generationTokens++
    request.outbox.push(output.index, token, text, logprobs)
    if (assembler.stop !== undefined) this.finish(output, "stop", assembler.stop)
    else if (event.finishReason !== undefined) this.finish(output, event.finishReason, event.stopReason ?? null)
  }

  private firstToken(request: Request, { cached, promptLength }: Sequence): void {
    request.firstTokenTime = this.options.now()
    request.outbox.prompt = { logprobs: request.promptLogprobs ?? null, numCachedTokens: cached }
    this.promptTokens += promptLength
  }

  private promptRows({ request, sequence }: Output, event: SequenceEvent, result: StepResult): void {
    if (request.promptLogprobs === undefined) return
    for (let row = 0; row < event.promptRows; row++)
      request.promptLogprobs[event.promptStart + row] = tokenLogprobs(
        result,
        event.promptRow + row,
        sequence.draw.promptLogprobs,
        this.options.decodeToken
      )
  }

  private fault({ request, sequence }: Output): void {
    const position = sequence.tokens.length - 1
    this.fail(request, new NumericalFault({ requestId: request.requestId, position }))
  }

  private finish(output: Output, reason: FinishReason, stopReason: string | number | null): void {
    const { request, assembler, index, sequence } = output
    this.end(output)
    request.outbox.finish(index, assembler.flush(), reason, stopReason)
    if (request.running > 0) return
    this.byId.delete(request.requestId)
    this.finishedRequests++
    const completionTokens = request.outputs.reduce((sum, { assembler: { tokens } }) => sum + tokens, 0)
    request.outbox.end({
      usage: {
        promptTokens: sequence.promptLength,
        completionTokens,
        totalTokens: sequence.promptLength + completionTokens
      },
      metrics: {
        arrivalTime: request.arrivalTime,
        firstTokenTime: request.firstTokenTime,
        finishedTime: this.options.now()
      }
    })
  }

  private remove(request: Request): void {
    this.byId.delete(request.requestId)
    for (const output of request.outputs) if (!output.ended) this.end(output)
  }

  /** Takes one output sequence out of the scheduler, whose blocks may let others run. */
  private end(output: Output): void {
    output.ended = true
    output.request.running--
    this.bySequence.delete(output.sequence.id)
    this.options.scheduler.finish(output.sequence)
    this.options.wakeLoop()
  }
}
