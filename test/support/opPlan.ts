import type { StepInput } from "../../src/domain/batch/step.ts"
import { type OpName, opRecord } from "../../src/domain/ops/table.ts"
import { rowBytes } from "../../src/domain/plan/memory.ts"
import type { CacheGroup, Operand, Plan, PlanWeight, Slot } from "../../src/domain/plan/plan.ts"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import { parseType } from "../../src/domain/tensor/shape.ts"
import type { MadeCase } from "./opCase.ts"

const kinds: Record<string, PlanWeight["kind"]> = { weight: "linear", table: "table", f32: "vector" }

/** Columns left and right of every input's view: an op that takes a view for its slot is caught. */
export const margin = 5

const cacheGroups = (made: MadeCase, dtype: Dtype): ReadonlyArray<CacheGroup> => {
  if (made.attributes.group === undefined) return []
  const { G, D, E } = made.dims
  return [{ layers: 1, kvHeads: G!, keyDim: D!, valueDim: E!, dtype, window: made.attributes.window ?? 0 }]
}

/** One instruction as a plan: a slot for each activation, constants for its parameters. gatherRows is a head, all else a body. */
export const planOf = (op: OpName, made: MadeCase, dtype: Dtype): Plan => {
  const record = opRecord(op)
  const types = Object.values({ ...record.outputs, ...record.inputs })
  const slots: Array<Slot> = []
  const weights: Array<PlanWeight> = []
  const extent = { tokens: 0, outputs: 0 }
  const slot = (rows: Slot["rows"], width: number) => {
    const offset = extent[rows]
    extent[rows] += rowBytes(width)
    return slots.push({ rows, width, offset }) - 1
  }
  const operands = made.operands.map(({ name, output, rows, columns, dtype: stored, data }, index): Operand => {
    const { kind } = parseType(types[index]!)
    if (data === undefined) return { kind: "none" }
    if (kind === "act") {
      const side = output ? 0 : margin
      const region = output && op === "gatherRows" ? "outputs" : "tokens"
      return { kind: "view", slot: slot(region, columns + 2 * side), column: side, columns }
    }
    const weight = { name, kind: kinds[kind]!, dtype: stored, rows, columns, source: "constant", values: data } as const
    return { kind: "weight", weight: weights.push(weight) - 1 }
  })
  const head = op === "gatherRows"
  const logits = head ? operands[0]! : ({ kind: "view", slot: slot("outputs", 1), column: 0, columns: 1 } as const)
  if (logits.kind !== "view") throw new Error(`${op} writes no activation`)
  return {
    architecture: `${op} alone`,
    dtype,
    instructions: [{ op, operands, attributes: made.attributes }],
    headStart: head ? 0 : 1,
    slots,
    tokenBytes: extent.tokens,
    outputBytes: extent.outputs,
    weights,
    cacheGroups: cacheGroups(made, dtype),
    logits,
    vocabSize: logits.columns
  }
}

/** The case's batch; rows are asked for where the op is a head. */
export const stepOfCase = (made: MadeCase): StepInput => {
  const { tokens, positions, sequenceStarts, contextLengths, groups, rows } = made.context
  const count = rows.length
  return {
    step: 0,
    tokens,
    positions,
    sequenceStarts,
    contextLengths,
    cacheGroups: made.attributes.group === undefined ? [] : groups,
    copies: new Int32Array(0),
    rows: {
      index: rows,
      target: new Int32Array(count).fill(-1),
      logprobs: new Int32Array(count).fill(-1),
      temperature: new Float32Array(count),
      topK: new Int32Array(count),
      topP: new Float32Array(count).fill(1),
      minP: new Float32Array(count),
      seed: new Uint32Array(2 * count),
      outputIndex: new Uint32Array(count)
    }
  }
}

/** A slot's rows with `data` in the view's columns and a value that no op should meet beside it. */
export const spread = (data: Float32Array, rows: number, columns: number, side: number): Float32Array => {
  const width = columns + 2 * side
  const out = new Float32Array(rows * width).fill(12345)
  for (let r = 0; r < rows; r++) out.set(data.subarray(r * columns, (r + 1) * columns), r * width + side)
  return out
}

/** Cache slots of the case, the null block's left out. */
export const cacheSlots = (made: MadeCase): number => {
  const { G = 1, D = 1 } = made.dims
  return made.cacheKeys.length / (G * D)
}
