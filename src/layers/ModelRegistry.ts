import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Architecture } from "../domain/model/architecture.ts"
import { ModelRegistry } from "../services/ModelRegistry.ts"

/**
 * Families of one's own, before those that are there already. Provided to an engine's layer:
 * `Layer.provide(Engine.layer({ model }), ModelRegistryLayer.extend(mine))`.
 */
export const extend = (...own: ReadonlyArray<Architecture>): Layer.Layer<never> =>
  Layer.effectContext(
    Effect.map(ModelRegistry, ({ architectures }) =>
      ModelRegistry.context({ architectures: [...own, ...architectures] })
    )
  )
