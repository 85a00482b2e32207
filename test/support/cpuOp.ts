import * as Effect from "effect/Effect"
import type { OpName } from "../../src/domain/ops/table.ts"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import type { NativeAddon, NativeModel } from "../../src/layers/backend/addon.ts"
import { loadNative } from "../../src/layers/backend/Cpu.ts"
import { blockSize, type MadeCase } from "./opCase.ts"
import { gather, place, spread, stepOf } from "./opPlan.ts"

/** Slots of all usable blocks; row i of the made cache from `blockSize` on is slot i. */
const usable = (made: MadeCase, kWidth: number) =>
  Int32Array.from({ length: made.cacheKeys.length / kWidth - blockSize }, (_, i) => i + blockSize)

const fillCache = (model: NativeModel, made: MadeCase, layer: number, writes: boolean) => {
  const { G = 1, D = 1, E = 1 } = made.dims
  const slots = usable(made, G * D)
  const values = made.cacheValues.slice(blockSize * G * E)
  // What an earlier owner left in V of a block that this step opens: the write has to clear it.
  if (writes)
    for (const block of made.openedBlocks)
      values.fill(Number.NaN, (block - 1) * blockSize * G * E, block * blockSize * G * E)
  model.writeCache(0, layer, slots, made.cacheKeys.slice(blockSize * G * D), values)
}

export interface CpuAnswer {
  /** As the case's operands; undefined for weights and absent ones. */
  readonly operands: ReadonlyArray<Float32Array | undefined>
  readonly keys: Float32Array
  readonly values: Float32Array
}

const readCache = (model: NativeModel, made: MadeCase, layer: number) => {
  const { G = 1, D = 1, E = 1 } = made.dims
  const slots = usable(made, G * D)
  const keys = new Float32Array(slots.length * G * D)
  const values = new Float32Array(slots.length * G * E)
  model.readCache(0, layer, slots, keys, values)
  return { keys, values }
}

/** Runs one op on one case through the ordinary load and step, and answers its operands and cache afterwards. */
export const runOnCpu = (addon: NativeAddon, op: OpName, made: MadeCase, dtype: Dtype, isa: string, numThreads = 2) =>
  Effect.gen(function* () {
    const { plan, slots } = place(op, made, dtype)
    const cached = plan.cacheGroups.length > 0
    const { G = 1, D = 1 } = made.dims
    const blocks = cached
      ? made.cacheKeys.length / (G * D * blockSize) - 1
      : made.context.groups[0]!.blockTables.length + 1
    const capacity = { maxTokens: made.context.tokens.length, maxSequences: 8, blocks, blockSize }
    const tensors = { files: [], tensors: new Map() }
    const model = yield* loadNative(addon, { plan, tensors, capacity }, { isa, numThreads })
    made.operands.forEach(({ columns, data }, i) => {
      if (slots[i] !== undefined) model.writeSlot(slots[i], spread(data!, columns))
    })
    const layer = made.attributes.layer ?? 0
    if (cached) fillCache(model, made, layer, op !== "attention")
    // A dim R names output rows in gatherRows only.
    const index = op === "gatherRows" ? made.context.rows : new Int32Array(0)
    yield* Effect.async<void, Error>((resume) =>
      model.step(stepOf(made, plan.cacheGroups.length, index), (error) =>
        resume(error ? Effect.fail(error) : Effect.void)
      )
    )
    const operands = made.operands.map(({ columns, rows }, i) =>
      slots[i] === undefined ? undefined : gather(model.readSlot(slots[i], rows), columns)
    )
    const cache = cached ? readCache(model, made, layer) : { keys: new Float32Array(0), values: new Float32Array(0) }
    return { operands, ...cache } satisfies CpuAnswer
  }).pipe(Effect.scoped)
