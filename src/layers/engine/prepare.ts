import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { EngineOptions } from "../../domain/config/engineOptions.ts"
import { needsFlops, resolve } from "../../domain/config/resolve.ts"
import { CheckpointInvalid } from "../../domain/errors.ts"
import { compileModel, type ModelFacts } from "../../domain/model/load.ts"
import { arenaBytes, cacheBlockBytes, weightBytes } from "../../domain/plan/footprint.ts"
import type { Plan } from "../../domain/plan/plan.ts"
import { matchWeights } from "../../domain/weights/match.ts"
import { Backend } from "../../services/Backend.ts"
import type { ModelFolder } from "../../services/ModelSource.ts"

/** From config.json and the tensors' headers to a plan whose weights are all accounted for. */
export const compileFolder = Effect.fnUntraced(function* (folder: ModelFolder, options: EngineOptions) {
  const { model } = options
  const compiled = yield* compileModel(folder.config, {
    model,
    dtype: options.dtype ?? "auto",
    ...(options.maxModelLen === undefined ? {} : { maxModelLen: options.maxModelLen })
  })
  const tensors = yield* folder.tensors
  const plan = yield* Either.mapLeft(
    matchWeights(compiled.plan, tensors),
    (problems) => new CheckpointInvalid({ model, problems })
  )
  return { plan, graph: compiled.graph, facts: compiled.facts, tensors }
})

/** The engine's numbers on this device, whose speed is measured where they depend on it. */
export const resolveFor = Effect.fnUntraced(function* (options: EngineOptions, facts: ModelFacts, plan: Plan) {
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
