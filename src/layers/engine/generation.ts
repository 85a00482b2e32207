import type { StepResult } from "../../domain/batch/step.ts"
import { NumericalFault, type RunError } from "../../domain/errors.ts"
import { type Assembler, tokenLogprobs } from "../../domain/request/assemble.ts"
import type { TokenLogprobs } from "../../domain/request/outputs.ts"
import type { FinishReason, Sequence } from "../../domain/request/sequence.ts"
import type { SequenceEvent } from "../../domain/schedule/scheduler.ts"
import type { Outbox } from "./outbox.ts"
import type { Request, RequestTable } from "./requestTable.ts"

/** One output sequence of a request. */
export interface Output {
  readonly index: number
  readonly sequence: Sequence
  readonly assembler: Assembler
  /** Sum of the logprobs of its tokens, where they are computed. */
  cumulativeLogprob: number
  ended: boolean
}

export interface GenerationOptions {
  readonly requestId: string
  readonly arrivalTime: number
  readonly deadline: number
  readonly outputs: ReadonlyArray<Output>
  readonly includeStopToken: boolean
  /** Best logprobs shown with each token; -1: none, though they may be computed. */
  readonly logprobs: number
  /** How many of the outputs are returned; where that is not all, those with the greatest cumulative logprob. */
  readonly returned: number
  readonly table: RequestTable
  readonly now: () => number
  readonly decodeToken: ((id: number) => string) | undefined
}

/** A request whose output sequences become text for one reader, from its insertion to its end. */
export class GenerationRequest implements Request {
  readonly requestId: string
  readonly deadline: number
  parkedAt = Number.POSITIVE_INFINITY
  private firstTokenTime: number | null = null
  private readonly promptLogprobs: Array<TokenLogprobs | null> | undefined
  private readonly bySequence: ReadonlyMap<number, Output>

  constructor(
    private readonly options: GenerationOptions,
    readonly outbox: Outbox
  ) {
    this.requestId = options.requestId
    this.deadline = options.deadline
    this.bySequence = new Map(options.outputs.map((output) => [output.sequence.id, output]))
    const asked = options.outputs[0]!.sequence.draw.promptLogprobs
    this.promptLogprobs = asked < 0 ? undefined : [null]
  }

  get sequences(): ReadonlyArray<Sequence> {
    return this.options.outputs.filter(({ ended }) => !ended).map(({ sequence }) => sequence)
  }

  hear(event: SequenceEvent, result: StepResult): void {
    const output = this.bySequence.get(event.sequence.id)!
    if (output.ended) return
    if (event.fault) {
      const position = event.sequence.tokens.length - 1
      this.options.table.fail(this, new NumericalFault({ requestId: this.requestId, position }))
      return
    }
    if (event.promptRows > 0) this.promptRows(event, result)
    if (event.token !== undefined) this.token(output, event, event.token, result)
  }

  abort(stopReason: string | null): void {
    for (const output of this.options.outputs) if (!output.ended) this.finish(output, "abort", stopReason)
  }

  fail(error: RunError): void {
    for (const output of this.options.outputs) output.ended = true
    this.outbox.end(error)
  }

  private token(output: Output, event: SequenceEvent, token: number, result: StepResult): void {
    const { table, logprobs, includeStopToken, decodeToken } = this.options
    if (this.firstTokenTime === null) this.firstToken(output.sequence)
    const shown = logprobs < 0 ? undefined : tokenLogprobs(result, event.row, logprobs, decodeToken)
    const text = output.assembler.push(token, event.silent && !includeStopToken)
    output.cumulativeLogprob += result.logprobs[event.row]!
    table.generationTokens++
    this.outbox.push(output.index, token, text, shown)
    if (output.assembler.stop !== undefined) this.finish(output, "stop", output.assembler.stop)
    else if (event.finishReason !== undefined) this.finish(output, event.finishReason, event.stopReason ?? null)
  }

  private firstToken({ cached, promptLength }: Sequence): void {
    this.firstTokenTime = this.options.now()
    this.outbox.prompt = { logprobs: this.promptLogprobs ?? null, numCachedTokens: cached }
    this.options.table.promptTokens += promptLength
  }

  private promptRows(event: SequenceEvent, result: StepResult): void {
    if (this.promptLogprobs === undefined) return
    const count = event.sequence.draw.promptLogprobs
    for (let row = 0; row < event.promptRows; row++)
      this.promptLogprobs[event.promptStart + row] = tokenLogprobs(
        result,
        event.promptRow + row,
        count,
        this.options.decodeToken
      )
  }

  private finish(output: Output, reason: FinishReason, stopReason: string | number | null): void {
    const { outputs, table } = this.options
    output.ended = true
    table.end(output.sequence)
    this.outbox.finish(output.index, output.assembler.flush(), reason, stopReason)
    if (outputs.every(({ ended }) => ended)) this.end(output.sequence.promptLength)
  }

  private end(promptTokens: number): void {
    const { outputs, returned, table, now, arrivalTime } = this.options
    table.finished(this)
    const kept = returned < outputs.length ? best(outputs, returned) : outputs
    if (kept !== outputs) this.outbox.keep(kept.map(({ index }) => index))
    const completionTokens = kept.reduce((sum, { assembler }) => sum + assembler.tokens, 0)
    this.outbox.end({
      usage: { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens },
      metrics: { arrivalTime, firstTokenTime: this.firstTokenTime, finishedTime: now() }
    })
  }
}

/** The `count` outputs of the greatest cumulative logprob, the greatest first; of equals the lower index. */
const best = (outputs: ReadonlyArray<Output>, count: number) =>
  [...outputs].sort((a, b) => b.cumulativeLogprob - a.cumulativeLogprob).slice(0, count)
