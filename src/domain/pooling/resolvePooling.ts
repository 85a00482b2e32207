import { show } from "../config/show.ts"
import { InvalidRequest, TaskUnsupported } from "../errors.ts"
import { type Finish, finishRow } from "./finish.ts"
import { givesEach, isEmbedding } from "./kinds.ts"
import { checkDimensions } from "./matryoshka.ts"
import type { PoolerSpec, PoolTaskName } from "./poolerSpec.ts"
import type { PoolingInput } from "./poolingParams.ts"
import { type PoolTarget, poolTarget } from "./target.ts"

/** Raw rows of one sequence: its pooled row, or those of its tokens. */
export interface RawRows {
  readonly pooled: Float32Array | undefined
  readonly each: ReadonlyArray<Float32Array>
}

/** A request's pooling with nothing left open. */
export interface ResolvedPooling {
  readonly target: (tokens: ReadonlyArray<number>, tokenTypes: ReadonlyArray<number> | undefined) => PoolTarget
  readonly finish: (rows: RawRows) => ReadonlyArray<number> | ReadonlyArray<ReadonlyArray<number>>
}

const refused = (field: keyof PoolingInput, given: unknown, expected: string, mend: string) =>
  new InvalidRequest({ field, given: show(given), expected, mend })

const labelsOnly = "nothing: this model gives labels, not embeddings"

/** A parameter that would change nothing here. */
const meaningless = (params: PoolingInput, { kind, pooling }: PoolerSpec): InvalidRequest | undefined => {
  const { dimensions, normalize, activation, stepTagId } = params
  const mend = "Leave it out."
  if (isEmbedding(kind)) {
    if (activation !== undefined)
      return refused("activation", activation, "nothing: this model gives embeddings, not labels", mend)
  } else {
    if (dimensions !== undefined) return refused("dimensions", dimensions, labelsOnly, mend)
    if (normalize !== undefined) return refused("normalize", normalize, labelsOnly, mend)
  }
  if (stepTagId !== undefined && !givesEach(pooling))
    return refused(
      "stepTagId",
      stepTagId,
      `nothing: this model gives one row for a text (${pooling})`,
      'Leave it out, or start the engine with overridePoolerConfig { poolingType: "STEP" }.'
    )
  return undefined
}

const wrongColumn = (columns: ReadonlyArray<number> | undefined, { width }: PoolerSpec): InvalidRequest | undefined => {
  const wrong = columns?.find((column) => column >= width)
  return wrong === undefined
    ? undefined
    : refused("returnedTokenIds", wrong, `columns below ${width}, the width of this model's rows`, "Leave it out.")
}

const finishOf = (params: PoolingInput, spec: PoolerSpec): Finish => {
  const columns = params.returnedTokenIds ?? spec.returnedTokenIds
  return {
    ...(columns === undefined ? {} : { columns }),
    twoWay: spec.twoWay,
    activation: (params.activation ?? spec.activates) ? spec.activation : "identity",
    ...(params.dimensions === undefined ? {} : { dimensions: params.dimensions }),
    normalize: params.normalize ?? spec.normalize
  }
}

/** Why a model cannot do what was asked of it. */
export const unsupported = (task: string, { tasks, kind, width }: PoolerSpec): TaskUnsupported =>
  new TaskUnsupported({
    task,
    supported: tasks,
    ...(task === "score" && kind === "classify" ? { reason: `num_labels is ${width}, and a score needs 1` } : {})
  })

/** Completes a request's parameters from the engine's. */
export const resolvePooling = (
  task: PoolTaskName,
  params: PoolingInput,
  spec: PoolerSpec
): ResolvedPooling | InvalidRequest | TaskUnsupported => {
  if (!spec.tasks.includes(task)) return unsupported(task, spec)
  const columns = params.returnedTokenIds ?? spec.returnedTokenIds
  const fault =
    meaningless(params, spec) ??
    wrongColumn(columns, spec) ??
    checkDimensions(params.dimensions, columns?.length ?? spec.width, spec.matryoshka)
  if (fault !== undefined) return fault
  const finish = finishOf(params, spec)
  const stepTagId = params.stepTagId ?? (spec.pooling === "STEP" ? spec.stepTagId : undefined)
  const pooling = stepTagId === undefined ? spec.pooling : "STEP"
  return {
    target: (tokens, tokenTypes) =>
      poolTarget(pooling, tokens, {
        ...(tokenTypes === undefined ? {} : { tokenTypes }),
        ...(stepTagId === undefined ? {} : { stepTagId })
      }),
    finish: ({ pooled, each }) =>
      pooled === undefined ? each.map((row) => finishRow(row, finish)) : finishRow(pooled, finish)
  }
}
