import * as Context from "effect/Context"
import type * as Either from "effect/Either"
import type { InvalidRequest, TaskUnsupported } from "../domain/errors.ts"
import type { PoolerSpec, PoolTaskName } from "../domain/pooling/poolerSpec.ts"
import type { PoolingInput } from "../domain/pooling/poolingParams.ts"
import type { ResolvedPooling } from "../domain/pooling/resolvePooling.ts"

/** Decides which rows of a text are computed, and what becomes of them; the step then computes them on the device. */
export interface PoolerInstance {
  readonly spec: PoolerSpec
  readonly resolve: (
    task: PoolTaskName,
    params: PoolingInput
  ) => Either.Either<ResolvedPooling, InvalidRequest | TaskUnsupported>
}

/** Makes poolers. The tag holds no state: every engine makes its own. */
export class Pooler extends Context.Tag("millrace/Pooler")<
  Pooler,
  { readonly make: (spec: PoolerSpec) => PoolerInstance }
>() {}
