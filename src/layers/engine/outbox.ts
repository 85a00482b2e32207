import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RunError } from "../../domain/errors.ts"
import { Accrual, type OutputKind, type Tail } from "../../domain/request/accrual.ts"
import type { GenerationDelta, PromptLogprobs, TokenLogprobs } from "../../domain/request/outputs.ts"
import type { FinishReason } from "../../domain/request/sequence.ts"

export interface OutboxOptions {
  readonly requestId: string
  /** Output sequences of the request. */
  readonly indices: number
  readonly kind: OutputKind
  /** Of kind "final" only: which indices are given is known at the end, when `keep` says so. */
  readonly held?: boolean
  /** Unread tokens at which the request is parked. Kind "final" has no reader until its end, and never parks. */
  readonly highWater: number
  /** Tokens that must wait before a reader is woken; the first token and endings wake it at once. */
  readonly interval: number
  /** Called when `highWater` is reached, and again when the reader has then taken what there was. */
  readonly onFull: () => void
  readonly onDrained: () => void
  /** Hands a waiting reader its `pull`, now or soon. */
  readonly wake: (reader: (pull: Pull) => void, pull: Pull) => void
}

export type Pull = Effect.Effect<Chunk.Chunk<GenerationDelta>, Option.Option<RunError>>

/**
 * What one request has produced and its one reader has not taken. The engine's side is synchronous. Bounded in tokens by
 * parking: past high water come at most those of steps already submitted. A reader takes all at once: low water is zero.
 */
export class Outbox {
  private readonly accrual: Accrual
  private readonly streams: boolean
  private full = false
  private ending: Effect.Effect<never, Option.Option<RunError>> | undefined
  private waiting: ((pull: Pull) => void) | undefined

  constructor(private readonly options: OutboxOptions) {
    this.accrual = new Accrual(options.requestId, options.indices, options.kind, options.held)
    this.streams = options.kind !== "final"
  }

  /** What goes out with the first delta. */
  set prompt(prompt: { readonly logprobs: PromptLogprobs | null; readonly numCachedTokens: number }) {
    this.accrual.prompt = prompt
  }

  push(index: number, token: number, text: string, logprobs: TokenLogprobs | undefined): void {
    this.accrual.push(index, token, text, logprobs)
    if (this.streams && !this.full && this.accrual.unread >= this.options.highWater) {
      this.full = true
      this.options.onFull()
    }
    this.wake()
  }

  finish(index: number, text: string, finishReason: FinishReason, stopReason: string | number | null): void {
    this.accrual.finish(index, text, finishReason, stopReason)
    this.wake()
  }

  /** Gives only these indices, renumbered in this order. */
  keep(indices: ReadonlyArray<number>): void {
    this.accrual.keep(indices)
  }

  /** Ends the stream after what is unread: with the tail in its last delta, or with an error. The first ending stands. */
  end(how: Tail | RunError): void {
    if (this.ending !== undefined) return
    if ("usage" in how) this.accrual.tail = how
    this.ending = Effect.fail("usage" in how ? Option.none() : Option.some(how))
    this.wake()
  }

  /** Takes all that has accrued, waiting for something to be there. Interrupted, it has taken nothing. */
  readonly pull: Pull = Effect.suspend(() => {
    const deltas = this.ready ? this.accrual.take() : []
    if (deltas.length === 0 && this.ending !== undefined) return this.ending
    if (deltas.length === 0) return this.arrival
    if (this.full) {
      this.full = false
      this.options.onDrained()
    }
    return Effect.succeed(Chunk.unsafeFromArray(deltas))
  })

  private readonly arrival: Pull = Effect.async((resume) => {
    this.waiting = resume
    return Effect.sync(() => {
      this.waiting = undefined
    })
  })

  private get ready(): boolean {
    const enough = this.streams && this.accrual.unread >= this.options.interval
    return enough || this.accrual.urgent || this.ending !== undefined
  }

  private wake(): void {
    if (this.waiting === undefined || !this.ready) return
    this.options.wake(this.waiting, this.pull)
    this.waiting = undefined
  }
}
