import * as Effect from "effect/Effect"
import type { StepResult } from "../../domain/batch/step.ts"
import type { DeviceFailed } from "../../domain/errors.ts"
import type { Scheduler, SequenceEvent, StepPlan } from "../../domain/schedule/scheduler.ts"
import type { LoadedModel } from "../../services/Backend.ts"
import type { RequestTable } from "./requestTable.ts"

/** Who hears of what a step brought. */
export interface StepTable {
  /** Requests that have not ended. */
  readonly size: number
  apply(events: ReadonlyArray<SequenceEvent>, result: StepResult): void
}

export interface LoopOptions {
  readonly scheduler: Scheduler
  readonly table: StepTable
  readonly model: LoadedModel
  /** Steps that may be submitted at once: 2 schedules a step while the one before it runs, 1 does not. */
  readonly depth: 1 | 2
  /** Opened by whoever brings work. */
  readonly work: Effect.Latch
}

type Retired = { readonly plan: StepPlan; readonly result: StepResult }

/** `effect` over and over, without the yield that Effect.forever puts between rounds. */
const endlessly = <E>(round: () => Effect.Effect<void, E>): Effect.Effect<never, E> =>
  Effect.zipRight(Effect.whileLoop({ while: () => true, body: round, step: () => {} }), Effect.never)

/**
 * schedule -> step -> advance -> assemble, for as long as the engine lives. `depth` lanes do the same by turns: while one
 * waits for its step, the other schedules the next and queues it behind. Nothing is forked per step, nothing runs per token.
 * It can be interrupted only while it waits for work: a submitted step always retires.
 */
export const runLoop = ({ scheduler, table, model, depth, work }: LoopOptions): Effect.Effect<never, DeviceFailed> =>
  Effect.suspend(() => {
    const retired = new Map<number, Retired>()
    let submitted = 0
    let applied = 0

    /** Steps retire in order, but which lane's fiber wakes first is Effect's to say: the one that closes the gap does both. */
    const retire = (turn: number, arrived: Retired) => {
      retired.set(turn, arrived)
      for (let next = retired.get(applied); next !== undefined; next = retired.get(applied)) {
        retired.delete(applied++)
        table.apply(scheduler.advance(next.plan, next.result), next.result)
      }
      work.unsafeOpen()
    }

    const round = (): Effect.Effect<void, DeviceFailed> => {
      work.unsafeClose()
      if (submitted - applied === depth) return work.await
      const next = scheduler.schedule()
      if (next === undefined) {
        if (submitted === applied && table.size === 0) scheduler.check()
        return work.await
      }
      const turn = submitted++
      return Effect.map(model.step(next.input), (result) => retire(turn, { plan: next.plan, result }))
    }

    const lane = endlessly(() => Effect.suspend(round))
    return Effect.raceFirst(lane, depth === 2 ? lane : Effect.never)
  })

/** Ends requests whose deadline has passed or that were parked for too long. Sleeps until there is one. */
export const runReaper = (table: RequestTable, now: () => number, moved: Effect.Latch): Effect.Effect<never> =>
  endlessly(() =>
    Effect.suspend(() => {
      moved.unsafeClose()
      const next = table.nextExpiry()
      if (next === Number.POSITIVE_INFINITY) return moved.await
      return Effect.zipRight(
        Effect.timeoutOption(moved.await, Math.max(0, next - now())),
        Effect.sync(() => table.expire())
      )
    })
  )
