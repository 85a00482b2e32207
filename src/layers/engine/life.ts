import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { DeviceFailed, EngineClosed, EngineUnavailable, type RunError } from "../../domain/errors.ts"
import type { Health } from "../../services/Engine.ts"
import { type LoopOptions, runLoop, type StepTable } from "./loop.ts"

const failureOf = (cause: Cause.Cause<DeviceFailed>): DeviceFailed => {
  const failure = Cause.failureOption(cause)
  return failure._tag === "Some"
    ? failure.value
    : new DeviceFailed({ operation: "the engine loop", reason: Cause.pretty(cause) })
}

export interface LifeOptions extends LoopOptions {
  readonly table: StepTable & { readonly failAll: (error: RunError) => void }
  /** Runs beside the loop, for as long. */
  readonly beside?: Effect.Effect<never>
}

/** Whether an engine takes work. */
export interface Life {
  readonly health: () => Health
  /** Why it takes no more; undefined while it does. */
  readonly refusal: () => EngineClosed | EngineUnavailable | undefined
}

/** Runs the loop until the caller's Scope closes or the device fails; then every request in the table hears of it. */
export const startLife = Effect.fnUntraced(function* (options: LifeOptions) {
  const { table, beside } = options
  let health: Health = { status: "ready" }
  const loop = runLoop(options).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        if (health.status !== "ready" || !Exit.isFailure(exit)) return
        const error = failureOf(exit.cause)
        health = { status: "dead", error }
        table.failAll(error)
      })
    )
  )
  const fibers: Array<Fiber.Fiber<never, DeviceFailed>> = [yield* Effect.forkDaemon(loop)]
  if (beside !== undefined) fibers.push(yield* Effect.forkDaemon(beside))
  // Admission closes and every reader learns of it first; then the steps in flight retire; only then memory may go.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      if (health.status === "ready") health = { status: "closed" }
      table.failAll(new EngineClosed())
      return Fiber.interruptAll(fibers)
    })
  )
  const life: Life = {
    health: () => health,
    refusal: () => {
      if (health.status === "ready") return undefined
      return health.status === "closed"
        ? new EngineClosed()
        : new EngineUnavailable({ reason: `it has stopped after a failure (${health.error.message})` })
    }
  }
  return life
})
