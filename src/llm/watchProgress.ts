import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { countTokens, type Ended, type Progress, progressBar } from "../domain/request/progress.ts"

const redrawMillis = 100

/** Where a bar is drawn: stderr, as far as a batch is concerned. */
export interface BarTarget {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string) => unknown
}

/**
 * Follows a batch: the answer is to be run with each request that ends. `true` draws a bar on stderr, unless stderr is no
 * terminal; a function is called instead. The Scope ends the bar's line.
 */
export const watchProgress = (
  total: number,
  wanted: boolean | ((progress: Progress) => void),
  target: BarTarget = process.stderr
): Effect.Effect<(ended: Ended) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const bar = wanted === true && target.isTTY === true
    if (typeof wanted !== "function" && !bar) return () => Effect.void
    const clock = yield* Effect.clock
    const startedAt = clock.unsafeCurrentTimeMillis()
    const count = { finished: 0, total, promptTokens: 0, generationTokens: 0 }
    const now = (): Progress => ({ ...count, elapsedMillis: clock.unsafeCurrentTimeMillis() - startedAt })
    // One column stays free: a line that fills the last one wraps on some terminals.
    const draw = (end: string) =>
      Effect.sync(() => void target.write(`\r\x1b[2K${progressBar(now(), (target.columns ?? 121) - 1)}${end}`))
    if (bar) {
      yield* Effect.forkScoped(Effect.forever(Effect.zipRight(draw(""), Effect.sleep(redrawMillis))))
      yield* Effect.addFinalizer(() => draw("\n"))
    }
    return (ended) =>
      Effect.sync(() => {
        const { promptTokens, generationTokens } = countTokens(ended)
        count.finished++
        count.promptTokens += promptTokens
        count.generationTokens += generationTokens
        if (typeof wanted === "function") wanted(now())
      })
  })
