import type { StepInput } from "../batch/step.ts"
import type { Operands, ReferenceCache, ReferenceContext } from "../ops/op.ts"
import { opRecord } from "../ops/table.ts"
import { matchShapes, type Shape } from "../tensor/shape.ts"
import type { Instruction, Operand, Plan } from "./plan.ts"

export interface InterpreterCapacity {
  readonly maxTokens: number
  /** Running sums that are kept. */
  readonly maxSequences: number
  /** Output rows that the head takes at once. */
  readonly slabRows: number
  readonly blocks: number
  readonly blockSize: number
}

/** What an instruction sees of a step: `rows` is one slab. Tokens are ids, none of them pending. */
export type StepView = Pick<
  StepInput,
  "tokens" | "positions" | "sequenceStarts" | "contextLengths" | "cacheGroups" | "pool"
> & {
  readonly rows: Int32Array
}

/** A plan with its arena and caches, run by the op table's references: the definition that backends are held to. */
export interface Interpreter {
  /** The whole buffer of a slot, capacity rows long. */
  readonly slot: (index: number) => Float32Array
  readonly cache: (group: number, layer: number) => ReferenceCache
  readonly copyBlocks: (pairs: Int32Array) => void
  /** Runs instructions `[from, to)`. */
  readonly run: (step: StepView, from: number, to: number) => void
}

const makeCaches = (plan: Plan, { blocks, blockSize }: InterpreterCapacity) =>
  plan.cacheGroups.map(({ layers, kvHeads, keyDim, valueDim }) =>
    Array.from({ length: layers }, (): ReferenceCache => {
      const slots = (blocks + 1) * blockSize * kvHeads
      return { keys: new Float32Array(slots * keyDim), values: new Float32Array(slots * valueDim) }
    })
  )

const copyBlock = (data: Float32Array, blocks: number, from: number, to: number) => {
  const size = data.length / blocks
  data.copyWithin(to * size, from * size, (from + 1) * size)
}

/** Columns of a slot as a dense matrix: the slot's own memory where they are all its columns, else a copy. */
const gather = (buffer: Float32Array, width: number, rows: number, column: number, columns: number): Float32Array => {
  if (columns === width) return buffer.subarray(0, rows * width)
  const dense = new Float32Array(rows * columns)
  for (let r = 0; r < rows; r++)
    dense.set(buffer.subarray(r * width + column, r * width + column + columns), r * columns)
  return dense
}

const scatter = (dense: Float32Array, buffer: Float32Array, width: number, column: number, columns: number) => {
  if (columns === width) return
  for (let r = 0; r * columns < dense.length; r++)
    buffer.set(dense.subarray(r * columns, (r + 1) * columns), r * width + column)
}

/** Token types and places of sums, where the step leaves them out: all of type 0, none kept. */
const poolOf = ({ tokens, contextLengths, pool }: StepView) => ({
  tokenTypes: pool !== undefined && pool.tokenTypes.length > 0 ? pool.tokenTypes : new Int32Array(tokens.length),
  carries: pool !== undefined && pool.carries.length > 0 ? pool.carries : new Int32Array(contextLengths.length).fill(-1)
})

/** `weights` are the plan's, expanded to float32 (rounded to their storage type first), in its order. */
export const makeInterpreter = (
  plan: Plan,
  weights: ReadonlyArray<Float32Array>,
  capacity: InterpreterCapacity
): Interpreter => {
  const regions = {
    tokens: { rows: capacity.maxTokens, bytes: new ArrayBuffer(plan.tokenBytes * capacity.maxTokens) },
    outputs: { rows: capacity.slabRows, bytes: new ArrayBuffer(plan.outputBytes * capacity.slabRows) }
  }
  const slots = plan.slots.map(({ rows, width, offset }) => {
    const region = regions[rows]
    return new Float32Array(region.bytes, offset * region.rows, region.rows * width)
  })
  const caches = makeCaches(plan, capacity)
  const cache = (group: number, layer: number) => caches[group]![layer]!
  const sums = new Float32Array(capacity.maxSequences * (plan.pooler?.carryWidth ?? 0))

  const execute = ({ op, operands, attributes }: Instruction, step: StepView, context: ReferenceContext) => {
    const record = opRecord(op)
    const outputs = Object.keys(record.outputs)
    const names = [...outputs, ...Object.keys(record.inputs)]
    const dense: Operands = {}
    const shapes: Record<string, Shape | undefined> = {}
    names.forEach((name, index) => {
      const operand: Operand = operands[index]!
      if (operand.kind === "weight") {
        const { rows, columns } = plan.weights[operand.weight]!
        dense[name] = weights[operand.weight]!
        shapes[name] = [rows, columns]
      } else if (operand.kind === "view") {
        const slot = plan.slots[operand.slot]!
        const rows = slot.rows === "tokens" ? step.tokens.length : step.rows.length
        dense[name] = gather(slots[operand.slot]!, slot.width, rows, operand.column, operand.columns)
        shapes[name] = [rows, operand.columns]
      }
    })
    record.reference(dense, matchShapes(record, shapes, attributes).dims as Record<string, number>, attributes, context)
    outputs.forEach((name, index) => {
      const operand = operands[index]!
      if (operand.kind !== "view") return
      scatter(dense[name]!, slots[operand.slot]!, plan.slots[operand.slot]!.width, operand.column, operand.columns)
    })
  }

  return {
    slot: (index) => slots[index]!,
    cache,
    copyBlocks: (pairs) => {
      for (const { keys, values } of caches.flat())
        for (let i = 0; i < pairs.length; i += 2)
          for (const data of [keys, values]) copyBlock(data, capacity.blocks + 1, pairs[i]!, pairs[i + 1]!)
    },
    run: (step, from, to) => {
      const { blockSize } = capacity
      const context: ReferenceContext = { ...step, ...poolOf(step), groups: step.cacheGroups, blockSize, cache, sums }
      for (let at = from; at < to; at++) execute(plan.instructions[at]!, step, context)
    }
  }
}
