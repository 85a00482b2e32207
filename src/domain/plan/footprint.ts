import { dtypeBytes } from "../tensor/dtype.ts"
import type { Plan } from "./plan.ts"

const upTo = (value: number, unit: number) => Math.ceil(value / unit) * unit

/**
 * Bytes of the weights as the Cpu backend holds them: linears padded to panels of 16 rows and to whole steps of their sum
 * (`packedLinearBytes` of context.h), vectors as float32. What lies between them, a page at most before each linear, is left out.
 */
export const weightBytes = (plan: Plan): number =>
  plan.weights.reduce((sum, { kind, dtype, rows, columns }) => {
    if (kind === "linear")
      return sum + upTo(rows, 16) * upTo(columns, dtype === "bfloat16" ? 32 : 2) * dtypeBytes(dtype)
    return sum + rows * columns * (kind === "vector" ? 4 : dtypeBytes(dtype))
  }, 0)

/** Bytes that one KV block takes in all layers of all groups; head widths are padded to 16 (`kvCellBytes` of context.h). */
export const cacheBlockBytes = (plan: Plan, blockSize: number): number =>
  plan.cacheGroups.reduce(
    (sum, { layers, kvHeads, keyDim, valueDim, dtype }) =>
      sum + layers * kvHeads * (upTo(keyDim, 16) + upTo(valueDim, 16)) * upTo(blockSize, 16) * dtypeBytes(dtype),
    0
  )

/** Output rows that pass the head together (`slabRows` of model.cpp). */
const slabRows = 64

/** Bytes of the activations of one step. */
export const arenaBytes = (plan: Plan, maxTokens: number): number =>
  plan.tokenBytes * maxTokens + plan.outputBytes * slabRows
