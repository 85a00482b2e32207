import * as Context from "effect/Context"
import type * as Either from "effect/Either"
import type { InvalidRequest } from "../domain/errors.ts"
import type { GenerationDefaults } from "../domain/sampling/generationConfig.ts"
import type { ResolvedSampling } from "../domain/sampling/resolveSampling.ts"
import type { SamplingFacts } from "../domain/sampling/samplingFacts.ts"

export interface SamplerConfig {
  readonly defaults: GenerationDefaults
  readonly facts: SamplingFacts
}

/** Decides how a request's tokens are drawn and when it ends; the step then draws them on the device, by these numbers. */
export interface SamplerInstance {
  /** A request's parameters with nothing left open. `arrival` counts the engine's requests and seeds those without a seed. */
  readonly resolve: (given: unknown, arrival: number) => Either.Either<ResolvedSampling, InvalidRequest>
}

/** Makes samplers. The tag holds no state: every engine makes its own. */
export class Sampler extends Context.Tag("millrace/Sampler")<
  Sampler,
  { readonly make: (config: SamplerConfig) => SamplerInstance }
>() {}
