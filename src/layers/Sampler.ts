import * as Layer from "effect/Layer"
import { resolveSampling } from "../domain/sampling/resolveSampling.ts"
import { Sampler } from "../services/Sampler.ts"

/** Parameters as vLLM completes them. */
export const layer: Layer.Layer<Sampler> = Layer.succeed(Sampler, {
  make: ({ defaults, facts }) => ({ resolve: (given, arrival) => resolveSampling(given, defaults, facts, arrival) })
})
