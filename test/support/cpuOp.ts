import * as Effect from "effect/Effect"
import type { StepInput } from "../../src/domain/batch/step.ts"
import type { OpRecord } from "../../src/domain/ops/op.ts"
import { type OpName, opRecord } from "../../src/domain/ops/table.ts"
import { rowBytes } from "../../src/domain/plan/memory.ts"
import type { Operand, Plan, PlanWeight, Slot } from "../../src/domain/plan/plan.ts"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import type { NativeAddon, NativeModel } from "../../src/layers/backend/addon.ts"
import { loadNative } from "../../src/layers/backend/Cpu.ts"
import { blockSize, type MadeCase } from "./opCase.ts"

/** Columns before and after every activation in its slot: a kernel that takes width for stride is caught. */
const margin = 5

interface Placed {
  readonly plan: Plan
  /** Slot of each operand; undefined for a weight or an absent one. */
  readonly slots: ReadonlyArray<number | undefined>
}

const kinds = { f32: "vector", weight: "linear", table: "table" } as const

/** A plan of the one instruction: activations in slots of their own, parameters as constants. */
const place = (op: OpName, made: MadeCase, dtype: Dtype): Placed => {
  const record: OpRecord = opRecord(op)
  const types = { ...record.outputs, ...record.inputs }
  const head = op === "gatherRows"
  const slots: Array<Slot> = []
  const weights: Array<PlanWeight> = []
  const offsets = { tokens: 0, outputs: 0 }
  const operands = made.operands.map(({ name, output, rows, columns, dtype: stored, data }): Operand => {
    if (data === undefined) return { kind: "none" }
    const kind = types[name]!.split("[")[0]!
    if (kind === "act") {
      const region = head && output ? "outputs" : "tokens"
      const width = columns + 2 * margin
      slots.push({ rows: region, width, offset: offsets[region] })
      offsets[region] += rowBytes(width)
      return { kind: "view", slot: slots.length - 1, column: margin, columns }
    }
    const weight = { name, kind: kinds[kind as keyof typeof kinds], dtype: stored, rows, columns }
    return { kind: "weight", weight: weights.push({ ...weight, source: "constant", values: data }) - 1 }
  })
  const { G = 1, D = 1, E = 1 } = made.dims
  const first = operands.find((operand) => operand.kind === "view")!
  const plan: Plan = {
    architecture: `op ${op}`,
    dtype,
    instructions: [{ op, operands, attributes: made.attributes }],
    headStart: head ? 0 : 1,
    slots,
    tokenBytes: offsets.tokens,
    outputBytes: offsets.outputs,
    weights,
    cacheGroups:
      "group" in made.attributes
        ? [{ layers: made.attributes.layer! + 1, kvHeads: G, keyDim: D, valueDim: E, dtype, window: 0 }]
        : [],
    logits: first,
    vocabSize: first.columns
  }
  return { plan, slots: operands.map((operand) => (operand.kind === "view" ? operand.slot : undefined)) }
}

const stepOf = ({ context }: MadeCase, groups: number, index: Int32Array): StepInput => {
  const rows = index.length
  return {
    step: 0,
    tokens: context.tokens,
    positions: context.positions,
    sequenceStarts: context.sequenceStarts,
    contextLengths: context.contextLengths,
    cacheGroups: context.groups.slice(0, groups),
    copies: new Int32Array(0),
    rows: {
      index,
      target: new Int32Array(rows).fill(-1),
      logprobs: new Int32Array(rows).fill(-1),
      temperature: new Float32Array(rows),
      topK: new Int32Array(rows),
      topP: new Float32Array(rows).fill(1),
      minP: new Float32Array(rows),
      seed: new Uint32Array(2 * rows),
      outputIndex: new Uint32Array(rows)
    }
  }
}

const spread = (data: Float32Array, columns: number): Float32Array => {
  const width = columns + 2 * margin
  const out = new Float32Array((data.length / columns) * width).fill(Number.NaN)
  for (let r = 0; r * columns < data.length; r++)
    out.set(data.subarray(r * columns, (r + 1) * columns), r * width + margin)
  return out
}

const gather = (slot: Float32Array, columns: number): Float32Array => {
  const width = columns + 2 * margin
  return Float32Array.from({ length: (slot.length / width) * columns }, (_, i) => {
    const row = Math.floor(i / columns)
    return slot[row * width + margin + (i % columns)]!
  })
}

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
