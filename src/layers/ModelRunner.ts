import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { EngineOptions } from "../domain/config/engineOptions.ts"
import { needsFlops, resolve } from "../domain/config/resolve.ts"
import { CheckpointInvalid } from "../domain/errors.ts"
import { compileModel, type ModelFacts } from "../domain/model/load.ts"
import { arenaBytes, cacheBlockBytes, weightBytes } from "../domain/plan/footprint.ts"
import type { Plan } from "../domain/plan/plan.ts"
import type { PoolerChoice } from "../domain/pooling/choice.ts"
import { matchWeights } from "../domain/weights/match.ts"
import { Backend } from "../services/Backend.ts"
import { ModelRegistry } from "../services/ModelRegistry.ts"
import { ModelRunner, type PreparedModel } from "../services/ModelRunner.ts"
import type { ModelFolder } from "../services/ModelSource.ts"

/** From config.json and the tensors' headers to a plan whose weights are all accounted for. */
const compileFolder = Effect.fnUntraced(function* (folder: ModelFolder, options: EngineOptions, pooler: PoolerChoice) {
  const { model } = options
  const { device } = yield* Backend
  const { architectures } = yield* ModelRegistry
  const compiled = yield* compileModel(folder.config, {
    model,
    architectures,
    pooler,
    dtype: options.dtype ?? "auto",
    ...(device.name === "cuda" ? { float32As: "float16" } : {}),
    ...(options.maxModelLen === undefined ? {} : { maxModelLen: options.maxModelLen })
  })
  const tensors = yield* folder.tensors
  const plan = yield* Either.mapLeft(
    matchWeights(compiled.plan, tensors),
    (problems) => new CheckpointInvalid({ model, problems })
  )
  return { ...compiled, plan, tensors }
})

/** The engine's numbers on this device, whose speed is measured where they depend on it. */
const resolveFor = Effect.fnUntraced(function* (options: EngineOptions, facts: ModelFacts, plan: Plan) {
  const { device, measureFlops } = yield* Backend
  const measured = measureFlops !== undefined && needsFlops({ options, facts, device })
  return yield* resolve({
    options,
    facts,
    device,
    weightBytes: weightBytes(plan) + arenaBytes(plan, 0),
    arenaBytesPerToken: plan.tokenBytes,
    kvBlockBytes: (blockSize) => cacheBlockBytes(plan, blockSize),
    ...(measured ? { flops: yield* measureFlops(facts.dtype) } : {})
  })
})

/** Compiles checkpoints of the families that the registry knows, and runs them on the Backend. */
export const layer: Layer.Layer<ModelRunner, never, Backend> = Layer.effect(
  ModelRunner,
  Effect.map(Effect.context<Backend>(), (context) => {
    const prepare = Effect.fnUntraced(function* (folder: ModelFolder, options: EngineOptions, pooler: PoolerChoice) {
      const model = yield* compileFolder(folder, options, pooler)
      return { ...model, resolved: yield* resolveFor(options, model.facts, model.plan) }
    })
    const load = Effect.fnUntraced(function* ({ plan, tensors, resolved }: PreparedModel) {
      const { maxNumBatchedTokens: maxTokens, maxNumSeqs: maxSequences, blockSize } = resolved.scheduler
      const capacity = { maxTokens, maxSequences, blocks: resolved.blocks, blockSize }
      return yield* (yield* Backend).load({ plan, tensors, capacity })
    })
    return {
      device: Context.get(context, Backend).device,
      prepare: (folder, options, pooler = {}) => Effect.provide(prepare(folder, options, pooler), context),
      load: (model) => Effect.provide(load(model), context)
    }
  })
)
