import { opNames, opRecord } from "../ops/table.ts"
import { dtypeCode } from "../tensor/dtype.ts"
import type { Instruction, Operand, Plan, View } from "./plan.ts"

/** [kind, index, column, columns], as `Operand` of ops.h. */
const operandWords = (operand: Operand): ReadonlyArray<number> =>
  operand.kind === "none"
    ? [0, 0, 0, 0]
    : operand.kind === "view"
      ? [1, operand.slot, operand.column, operand.columns]
      : [2, operand.weight, 0, 0]

const float = new Float32Array(1)
const floatBits = new Int32Array(float.buffer)
const floatWord = (value: number): number => {
  float[0] = value
  return floatBits[0]!
}

/** [op, words of its struct], then the struct's words: operands in the record's order, outputs first, then attributes. */
export const encodeInstruction = ({ op, operands, attributes }: Instruction): ReadonlyArray<number> => {
  const words = [
    ...operands.flatMap(operandWords),
    ...Object.entries(opRecord(op).attributes).map(([name, type]) => {
      const value = attributes[name]
      if (value === undefined) throw new Error(`The instruction ${op} has no attribute ${name}.`)
      return type === "f32" ? floatWord(value) : value
    })
  ]
  return [opNames.indexOf(op), words.length, ...words]
}

/** A plan as flat numbers, all but its weights: what crosses to a native backend. */
export interface EncodedPlan {
  /** The instructions, one after another; see ops.h. */
  readonly words: Int32Array
  /** Instructions, not words. */
  readonly headStart: number
  /** [output rows, width, offset] a slot */
  readonly slots: Float64Array
  readonly tokenBytes: number
  readonly outputBytes: number
  /** [layers, kvHeads, keyDim, valueDim, dtype, window] a group */
  readonly groups: Int32Array
  /** [slot, column, columns]; empty: there are none. The same for `pooled` and `each`. */
  readonly logits: Int32Array
  readonly vocabSize: number
  readonly pooled: Int32Array
  readonly each: Int32Array
  /** First instruction of the head over single tokens; the number of instructions where there is none. */
  readonly eachStart: number
  readonly carryWidth: number
}

const viewWords = (view: View | undefined): Int32Array =>
  view === undefined ? new Int32Array(0) : Int32Array.of(view.slot, view.column, view.columns)

export const encodePlan = (plan: Plan): EncodedPlan => ({
  words: Int32Array.from(plan.instructions.flatMap(encodeInstruction)),
  headStart: plan.headStart,
  slots: Float64Array.from(
    plan.slots.flatMap(({ rows, width, offset }) => [rows === "outputs" ? 1 : 0, width, offset])
  ),
  tokenBytes: plan.tokenBytes,
  outputBytes: plan.outputBytes,
  groups: Int32Array.from(
    plan.cacheGroups.flatMap((group) => [
      group.layers,
      group.kvHeads,
      group.keyDim,
      group.valueDim,
      dtypeCode(group.dtype),
      group.window
    ])
  ),
  logits: viewWords(plan.logits),
  vocabSize: plan.vocabSize,
  pooled: viewWords(plan.pooler?.pooled),
  each: viewWords(plan.pooler?.each),
  eachStart: plan.pooler?.eachStart ?? plan.instructions.length,
  carryWidth: plan.pooler?.carryWidth ?? 0
})
