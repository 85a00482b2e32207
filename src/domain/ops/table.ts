import { activation, gatedActivation } from "./activation.ts"
import { attention, kvWrite } from "./attention.ts"
import { add, gatherRows } from "./elementwise.ts"
import { embed } from "./embed.ts"
import { encoderAttention } from "./encoderAttention.ts"
import { linear } from "./linear.ts"
import { addLayerNorm, addRmsNorm, layerNorm, rmsNorm } from "./norm.ts"
import type { OpRecord } from "./op.ts"
import { runningMean } from "./pool.ts"
import { rope, ropeKvWrite, rotary } from "./rope.ts"

/** Every op, once. The order numbers them in the native header; append, never reorder. */
export const ops = {
  embed,
  linear,
  rmsNorm,
  layerNorm,
  addRmsNorm,
  addLayerNorm,
  rotary,
  rope,
  kvWrite,
  ropeKvWrite,
  attention,
  activation,
  gatedActivation,
  add,
  gatherRows,
  encoderAttention,
  runningMean
} as const satisfies Record<string, OpRecord>

export type OpName = keyof typeof ops
export const opNames = Object.keys(ops) as ReadonlyArray<OpName>
export const opRecord = (name: OpName): OpRecord => ops[name]
