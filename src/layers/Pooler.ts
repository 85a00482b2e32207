import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { resolvePooling } from "../domain/pooling/resolvePooling.ts"
import { Pooler } from "../services/Pooler.ts"

/** CLS, LAST, MEAN, ALL and STEP; activation, cut and normalisation as vLLM and Sentence Transformers have them. */
export const layer: Layer.Layer<Pooler> = Layer.succeed(Pooler, {
  make: (spec) => ({
    spec,
    resolve: (task, params) => {
      const resolved = resolvePooling(task, params, spec)
      return "target" in resolved ? Either.right(resolved) : Either.left(resolved)
    }
  })
})
