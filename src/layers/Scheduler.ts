import * as Layer from "effect/Layer"
import { makeScheduler } from "../domain/schedule/makeScheduler.ts"
import { Scheduler } from "../services/Scheduler.ts"

/** Continuous batching. Constant: it holds a maker, and engines share no state through it. */
export const layer: Layer.Layer<Scheduler> = Layer.succeed(Scheduler, { make: makeScheduler })
