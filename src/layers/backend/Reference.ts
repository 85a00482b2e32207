import { totalmem } from "node:os"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { CheckpointInvalid, DeviceFailed, OutOfMemory } from "../../domain/errors.ts"
import type { Plan } from "../../domain/plan/plan.ts"
import { matchWeights } from "../../domain/weights/match.ts"
import { Backend, type Capacity, type LoadedModel, type LoadRequest } from "../../services/Backend.ts"
import { makeRunner } from "./referenceRunner.ts"
import { readWeights } from "./referenceWeights.ts"

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Everything is held as float32 here, whatever the plan's dtype. */
const weightBytes = (plan: Plan) => plan.weights.reduce((sum, { rows, columns }) => sum + rows * columns * 4, 0)
const cacheBytes = (plan: Plan, { blocks, blockSize }: Capacity) =>
  plan.cacheGroups.reduce(
    (sum, { layers, kvHeads, keyDim, valueDim }) =>
      sum + layers * kvHeads * (keyDim + valueDim) * (blocks + 1) * blockSize * 4,
    0
  )

/** Steps run in the order they were submitted, each in a turn of the event loop of its own. */
const stepper =
  (run: ReturnType<typeof makeRunner>): LoadedModel["step"] =>
  (input) =>
    Effect.uninterruptible(
      Effect.async<ReturnType<typeof run>, DeviceFailed>((resume) => {
        setImmediate(() => {
          try {
            resume(Effect.succeed(run(input)))
          } catch (error) {
            resume(Effect.fail(new DeviceFailed({ operation: `step ${input.step}`, reason: reason(error) })))
          }
        })
      })
    )

const load =
  (memory: number) =>
  ({ plan, tensors, capacity }: LoadRequest) =>
    Effect.gen(function* () {
      const model = tensors.files[0] ?? "given"
      const matched = matchWeights(plan, tensors)
      if (Either.isLeft(matched)) return yield* new CheckpointInvalid({ model, problems: matched.left })
      const bytes = { weightBytes: weightBytes(plan), cacheBytes: cacheBytes(plan, capacity) }
      const needed = bytes.weightBytes + bytes.cacheBytes
      if (needed > memory)
        return yield* new OutOfMemory({
          what: "The model and its KV cache in float32 (device reference)",
          neededBytes: needed,
          availableBytes: memory,
          mend: "Lower kvCacheMemoryBytes, or take device cpu."
        })
      const weights = yield* Effect.try({
        try: () => readWeights(matched.right, tensors),
        catch: (error) => new CheckpointInvalid({ model, problems: [`the weights cannot be read: ${reason(error)}`] })
      })
      return { step: stepper(makeRunner(matched.right, weights, capacity)), ...bytes }
    })

/** The plan interpreter over the op table's references, in TypeScript on this thread: the definition, and what runs where nothing was compiled. */
export const layer: Layer.Layer<Backend> = Layer.sync(Backend, () => {
  const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  const device = { name: "reference", description: "TypeScript interpreter", threads: 1, memory } as const
  return Backend.of({ device, load: load(memory) })
})
