import { printAttributes, printWeight } from "../graph/print.ts"
import { opRecord } from "../ops/table.ts"
import type { Instruction, Operand, Plan } from "./plan.ts"

const view = (plan: Plan, operand: Operand): string => {
  if (operand.kind === "weight") return `w${operand.weight}`
  if (operand.kind === "none") return "-"
  const whole = operand.column === 0 && operand.columns === plan.slots[operand.slot]!.width
  return `s${operand.slot}${whole ? "" : `[${operand.column}:${operand.column + operand.columns}]`}`
}

const line = (plan: Plan, { op, operands, attributes }: Instruction): string => {
  const record = opRecord(op)
  const outputs = Object.keys(record.outputs).map((_, index) => view(plan, operands[index]!))
  const inputs = Object.keys(record.inputs)
    .map((name, index) => ({ name, operand: operands[outputs.length + index]! }))
    .filter(({ operand }) => operand.kind !== "none")
    .map(({ name, operand }) => `${name}=${view(plan, operand)}`)
  return `${outputs.length === 0 ? "" : `${outputs.join(", ")} = `}${op}(${inputs.join(", ")})${printAttributes(attributes)}`
}

const headText = ({ vocabSize, pooler }: Plan): string =>
  pooler === undefined
    ? `${vocabSize} logits`
    : `pooler: ${pooler.pooled?.columns ?? 0} a sequence, ${pooler.each?.columns ?? 0} a token`

const opening = ({ headStart, pooler }: Plan, index: number): string => {
  if (index === pooler?.eachStart && pooler.each !== undefined) return "head of each token:\n  "
  return index === headStart ? "head:\n  " : ""
}

/** The plan as stable text: caches, weights, slots, instructions. A diff of it is the review of a pass. */
export const printPlan = (plan: Plan): string =>
  [
    `plan ${plan.architecture} ${plan.dtype}, ${headText(plan)}`,
    ...plan.cacheGroups.map(
      (group, index) =>
        `cache ${index}: ${group.layers} layers x ${group.kvHeads} heads x (${group.keyDim} + ${group.valueDim}) ${group.dtype}, window ${group.window === 0 ? "all" : group.window}`
    ),
    `weights (${plan.weights.length})`,
    ...plan.weights.map((weight, index) => `  w${index}: ${printWeight(weight)}`),
    `slots (${plan.tokenBytes} bytes a token, ${plan.outputBytes} bytes an output row)`,
    ...plan.slots.map((slot, index) => `  s${index}: ${slot.rows} x ${slot.width} at ${slot.offset}`),
    `instructions (${plan.instructions.length})`,
    ...plan.instructions.map((instruction, index) => `  ${opening(plan, index)}${line(plan, instruction)}`),
    ...(plan.logits === undefined ? [] : [`  logits = ${view(plan, plan.logits)}`]),
    ...(plan.pooler?.pooled === undefined ? [] : [`  pooled = ${view(plan, plan.pooler.pooled)}`]),
    ...(plan.pooler?.each === undefined ? [] : [`  each = ${view(plan, plan.pooler.each)}`]),
    ""
  ].join("\n")
