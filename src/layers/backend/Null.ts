import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { StepInput } from "../../domain/batch/step.ts"
import { OutOfMemory } from "../../domain/errors.ts"
import type { Plan } from "../../domain/plan/plan.ts"
import { dtypeBytes } from "../../domain/tensor/dtype.ts"
import { Backend, type Capacity, type LoadRequest } from "../../services/Backend.ts"
import { makeNullModel, type Script } from "./nullModel.ts"

export interface NullOptions {
  /** What each step takes. Default 0: the step answers in a later turn of the event loop, at no cost. */
  readonly cost?: Duration.DurationInput | ((input: StepInput) => Duration.DurationInput)
  /** Default: tokens by a hash of position and token before. */
  readonly script?: Script
  /** Bytes that it says it has. Default 4 GiB. */
  readonly memory?: number
}

const weightBytes = (plan: Plan) =>
  plan.weights.reduce(
    (sum, { kind, rows, columns, dtype }) => sum + rows * columns * (kind === "vector" ? 4 : dtypeBytes(dtype)),
    0
  )

const cacheBytes = (plan: Plan, { blocks, blockSize }: Capacity) =>
  plan.cacheGroups.reduce(
    (sum, { layers, kvHeads, keyDim, valueDim, dtype }) =>
      sum + layers * kvHeads * (keyDim + valueDim) * dtypeBytes(dtype) * (blocks + 1) * blockSize,
    0
  )

/** Lets timers and sockets have their turn, which Effect.yieldNow alone does not. */
const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const wait = (cost: Duration.Duration) => (Duration.toMillis(cost) > 0 ? Effect.sleep(cost) : turn)

const load = Effect.fnUntraced(function* ({ plan, capacity }: LoadRequest, options: NullOptions, memory: number) {
  const weights = weightBytes(plan)
  const cache = cacheBytes(plan, capacity)
  if (weights + cache > memory)
    return yield* new OutOfMemory({
      what: "The model with its KV cache",
      neededBytes: weights + cache,
      availableBytes: memory,
      mend: "Lower maxModelLen, give the KV cache less, or give the null device more memory."
    })
  const run = makeNullModel(plan, capacity, options.script)
  const { cost = 0 } = options
  // One step at a time, in the order of submission: what a device's queue does. (A semaphore lets a newcomer overtake.)
  let last = Effect.unsafeMakeLatch(true)
  const step = (input: StepInput) =>
    Effect.suspend(() => {
      const before = last
      const done = Effect.unsafeMakeLatch(false)
      last = done
      const duration = Duration.decode(typeof cost === "function" ? cost(input) : cost)
      const work = Effect.map(Effect.zipRight(before.await, wait(duration)), () =>
        run(input, Duration.toMillis(duration))
      )
      return Effect.ensuring(work, done.open)
    }).pipe(Effect.uninterruptible)
  return { step, weightBytes: weights, cacheBytes: cache }
})

/** A device that computes nothing, at a price that the test or bench sets. It counts memory, and answers by rule. */
export const layer = (options: NullOptions = {}): Layer.Layer<Backend> => {
  const memory = options.memory ?? 4 * 2 ** 30
  return Layer.succeed(Backend, {
    device: { name: "null", description: "null device: tokens by rule, no arithmetic", threads: 0, memory },
    load: (request) => load(request, options, memory)
  })
}
