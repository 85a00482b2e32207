import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AdmissionError, ObjectInvalid, RunError } from "../domain/errors.ts"

type Failure = AdmissionError | RunError | ObjectInvalid
/** Submits a request of whose deltas each is an A. */
type Submit<A> = Effect.Effect<{ readonly deltas: Stream.Stream<A, Failure> }, Failure, Scope.Scope>
/** Nothing: the end. A bare failure: the request was not admitted. */
type Stop = Option.Option<Failure> | Failure
type Pull<A> = Effect.Effect<Chunk.Chunk<A>, Stop>

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** One request, read by `for await`. Its Scope closes with the last delta, an error, `return()`, or the signal. */
class DeltaIterator<A> implements AsyncIterator<A> {
  private readonly scope = Effect.runSync(Scope.make())
  private readonly ready: Array<A> = []
  /** The first submits the request. */
  private pull: Pull<A> = Effect.suspend(() =>
    Effect.flatMap(this.submit, ({ deltas }) => Stream.toPull(deltas)).pipe(
      Scope.extend(this.scope),
      Effect.flatMap((pull) => {
        this.pull = pull
        return pull
      })
    )
  )
  private reading: Fiber.RuntimeFiber<Chunk.Chunk<A>, Stop> | undefined
  private ended = false
  /** The last `next()`: calls that do not wait for one another are answered in turn, as an async generator's are. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly submit: Submit<A>,
    private readonly signal: AbortSignal | undefined
  ) {}

  next(): Promise<IteratorResult<A>> {
    const answer = this.turn.then(() => this.advance())
    this.turn = answer.catch(() => undefined)
    return answer
  }

  async return(): Promise<IteratorResult<A>> {
    this.ready.length = 0
    await this.close()
    return done
  }

  private async advance(): Promise<IteratorResult<A>> {
    const waiting = this.ready.shift()
    if (waiting !== undefined) return { done: false, value: waiting }
    if (this.signal?.aborted === true) await this.close()
    this.signal?.throwIfAborted()
    if (this.ended) return done
    const exit = await this.read()
    if (Exit.isSuccess(exit)) {
      this.ready.push(...exit.value)
      return this.advance()
    }
    await this.close()
    this.signal?.throwIfAborted()
    const failure = Cause.squash(exit.cause)
    if (Cause.isInterruptedOnly(exit.cause) || isEnd(failure)) return done
    throw isSome(failure) ? failure.value : failure
  }

  /** Waits for deltas; `return()` and the signal interrupt it. One fiber a read, which begins at once: it runs at every token. */
  private read() {
    return new Promise<Exit.Exit<Chunk.Chunk<A>, Stop>>((resolve) => {
      const fiber = Effect.runFork(this.pull, { immediate: true })
      const abort = () => fiber.unsafeInterruptAsFork(fiber.id())
      this.reading = fiber
      this.signal?.addEventListener("abort", abort, { once: true })
      fiber.addObserver((exit) => {
        this.signal?.removeEventListener("abort", abort)
        this.reading = undefined
        resolve(exit)
      })
    })
  }

  private async close(): Promise<void> {
    if (this.ended) return
    this.ended = true
    const reading = this.reading === undefined ? Effect.void : Fiber.interrupt(this.reading)
    await Effect.runPromise(Effect.zipRight(reading, Scope.close(this.scope, Exit.void)))
  }
}

const isOption = (value: unknown): value is Option.Option<Failure> =>
  typeof value === "object" && value !== null && "_tag" in value && (value._tag === "Some" || value._tag === "None")
const isEnd = (value: unknown) => isOption(value) && value._tag === "None"
const isSome = (value: unknown): value is Option.Some<Failure> => isOption(value) && value._tag === "Some"

/** The request is submitted at the first `next()`; every iterator is a request of its own. */
export const deltaIterable = <A>(submit: Submit<A>, signal: AbortSignal | undefined): AsyncIterable<A> => ({
  [Symbol.asyncIterator]: () => new DeltaIterator(submit, signal)
})
