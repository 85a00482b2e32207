import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Progress, progressBar } from "../../domain/request/progress.ts"
import type { EngineMetrics } from "../../services/Engine.ts"

const redrawMillis = 100

/**
 * Follows a batch: the answer is to be run after each request that ends. `true` draws a bar on stderr, unless stderr is no
 * terminal; a function is called instead. The Scope ends the bar's line.
 */
export const watchProgress = (
  metrics: Effect.Effect<EngineMetrics>,
  total: number,
  wanted: boolean | ((progress: Progress) => void)
): Effect.Effect<() => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const bar = wanted === true && process.stderr.isTTY === true
    if (typeof wanted !== "function" && !bar) return () => Effect.void
    const clock = yield* Effect.clock
    const startedAt = clock.unsafeCurrentTimeMillis()
    const before = (yield* metrics).generationTokens
    let finished = 0
    const progress = Effect.map(metrics, ({ generationTokens }): Progress => {
      const elapsedMillis = clock.unsafeCurrentTimeMillis() - startedAt
      return { finished, total, generationTokens: generationTokens - before, elapsedMillis }
    })
    const draw = Effect.map(progress, (now) => void process.stderr.write(`\r${progressBar(now)}`))
    if (bar) {
      yield* Effect.forkScoped(Effect.forever(Effect.zipRight(draw, Effect.sleep(redrawMillis))))
      yield* Effect.addFinalizer(() =>
        Effect.andThen(
          draw,
          Effect.sync(() => void process.stderr.write("\n"))
        )
      )
    }
    return () => {
      finished++
      return typeof wanted === "function" ? Effect.map(progress, wanted) : Effect.void
    }
  })
