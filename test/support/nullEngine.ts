import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { StepInput } from "../../src/domain/batch/step.ts"
import type { DeviceFailed } from "../../src/domain/errors.ts"
import type { GenerateRequest } from "../../src/domain/request/generateRequest.ts"
import * as BlockAllocator from "../../src/layers/BlockAllocator.ts"
import * as Null from "../../src/layers/backend/Null.ts"
import * as NullEngine from "../../src/layers/engine/null/nullEngine.ts"
import * as Grammar from "../../src/layers/Grammar.ts"
import * as Sampler from "../../src/layers/Sampler.ts"
import * as Scheduler from "../../src/layers/Scheduler.ts"
import { Backend } from "../../src/services/Backend.ts"
import { Engine } from "../../src/services/Engine.ts"

/** What a step takes. */
export const stepMillis = 10

/** Lets `steps` steps pass on the TestClock, one at a time: each wakes who waits for it before the next begins. */
export const steps = (count: number) =>
  Effect.repeatN(
    Effect.zipRight(
      TestClock.adjust(stepMillis),
      // The fibers that a step wakes take a few turns to ask for the next one.
      Effect.repeatN(Effect.yieldNow(), 50)
    ),
    count - 1
  )

export const endless = (more: GenerateRequest = {}): GenerateRequest => ({
  promptTokenIds: [5, 6, 7],
  ...more,
  params: { maxTokens: 4000, ignoreEos: true, ...more.params }
})

/** Sequences in any state, and blocks that are not free. */
export const held = Effect.gen(function* () {
  const { running, waiting, parked, kvBlocksFree, kvBlocksTotal } = yield* (yield* Engine).metrics
  return { sequences: running + waiting + parked, blocks: kvBlocksTotal - kvBlocksFree }
})

export const nothing = { sequences: 0, blocks: 0 }

/** The null engine over a device whose steps the test may fail or watch. */
export const engineOver = (
  before: (input: StepInput) => Effect.Effect<void, DeviceFailed>,
  options: NullEngine.NullEngineOptions & Null.NullOptions = {}
) => {
  const { cost = stepMillis, script, ...rest } = options
  const device = Layer.effect(
    Backend,
    Effect.map(Backend, (inner) => ({
      device: inner.device,
      load: (request) =>
        Effect.map(inner.load(request), (model) => ({
          ...model,
          step: (input) => Effect.uninterruptible(Effect.zipRight(before(input), model.step(input)))
        }))
    }))
  ).pipe(Layer.provide(Null.layer({ cost, ...(script === undefined ? {} : { script }) })))
  const parts = Layer.mergeAll(device, Sampler.layer, Grammar.layer, Scheduler.layer, BlockAllocator.layer)
  return NullEngine.layer(rest).pipe(Layer.provide(parts))
}
