import type { StepInput } from "../../src/domain/batch/step.ts"
import type { OpRecord } from "../../src/domain/ops/op.ts"
import { type OpName, opRecord } from "../../src/domain/ops/table.ts"
import { rowBytes } from "../../src/domain/plan/memory.ts"
import type { Operand, Plan, PlanWeight, Slot } from "../../src/domain/plan/plan.ts"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import type { MadeCase } from "./opCase.ts"

/** Columns before and after every activation in its slot: a kernel that takes width for stride is caught. */
const margin = 5

export interface Placed {
  readonly plan: Plan
  /** Slot of each operand; undefined for a weight or an absent one. */
  readonly slots: ReadonlyArray<number | undefined>
}

const kinds = { f32: "vector", weight: "linear", table: "table" } as const

/** A plan of the one instruction: activations in slots of their own, parameters as constants. */
export const place = (op: OpName, made: MadeCase, dtype: Dtype): Placed => {
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

/** The case's batch, for a plan of so many cache groups. */
export const stepOf = ({ context }: MadeCase, groups: number, index: Int32Array): StepInput => {
  const rows = index.length
  return {
    step: 0,
    tokens: context.tokens,
    positions: context.positions,
    sequenceStarts: context.sequenceStarts,
    contextLengths: context.contextLengths,
    cacheGroups: context.groups.slice(0, groups),
    pool: {
      tokenTypes: groups === 0 ? context.tokenTypes : new Int32Array(0),
      carries: context.carries,
      pooled: new Int32Array(0),
      each: new Int32Array(0)
    },
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

/** A slot that holds `data` in its view and, beside it, what no op should meet. */
export const spread = (data: Float32Array, columns: number): Float32Array => {
  const width = columns + 2 * margin
  const out = new Float32Array((data.length / columns) * width).fill(Number.NaN)
  for (let r = 0; r * columns < data.length; r++)
    out.set(data.subarray(r * columns, (r + 1) * columns), r * width + margin)
  return out
}

/** The columns of the view, out of a slot. */
export const gather = (slot: Float32Array, columns: number): Float32Array => {
  const width = columns + 2 * margin
  return Float32Array.from({ length: (slot.length / width) * columns }, (_, i) => {
    const row = Math.floor(i / columns)
    return slot[row * width + margin + (i % columns)]!
  })
}
