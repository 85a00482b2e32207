import type { PoolerConfig } from "../schedule/scheduler.ts"
import { type DrawnRow, packEdits } from "./packEdits.ts"
import type { PackedStep } from "./packedStep.ts"
import { packPool } from "./packPool.ts"
import { packRows } from "./packRows.ts"
import type { OutputRows, StepInput } from "./step.ts"

/**
 * The arrays of one step lie behind one another in one buffer: one allocation a step, and never one used twice, so that a
 * step's arrays stay as they were submitted.
 */
const makeArrays = (tokens: number, sequences: number, blocks: number, rows: number) => {
  const words = 3 * tokens + 3 * sequences + 2 + blocks + 10 * rows
  const buffer = new ArrayBuffer(4 * words)
  let at = 0
  const place = (length: number) => {
    const offset = at
    at += 4 * length
    return offset
  }
  const int = (length: number) => new Int32Array(buffer, place(length), length)
  const float = (length: number) => new Float32Array(buffer, place(length), length)
  const word = (length: number) => new Uint32Array(buffer, place(length), length)
  const outputs: OutputRows = {
    index: int(rows),
    target: int(rows),
    logprobs: int(rows),
    temperature: float(rows),
    topK: int(rows),
    topP: float(rows),
    minP: float(rows),
    seed: word(2 * rows),
    outputIndex: word(rows)
  }
  return {
    tokens: int(tokens),
    positions: int(tokens),
    slots: int(tokens),
    sequenceStarts: int(sequences + 1),
    contextLengths: int(sequences),
    blockTableStarts: int(sequences + 1),
    blockTables: int(blocks),
    outputs
  }
}

/** The typed arrays of a step, in the order of its parts. */
export const pack = (step: PackedStep, blockSize: number, pooler?: PoolerConfig): StepInput => {
  const { parts } = step
  const cached = pooler?.bidirectional !== true
  let totalBlocks = 0
  if (cached) for (const part of parts) totalBlocks += Math.ceil((part.start + part.tokens) / blockSize)
  const arrays = makeArrays(step.totalTokens, parts.length, totalBlocks, step.totalRows)
  const { tokens, positions, slots, blockTables } = arrays
  const drawn: Array<DrawnRow> = []
  let tokenRow = 0
  let blockAt = 0
  for (let s = 0; s < parts.length; s++) {
    const part = parts[s]!
    const { sequence } = part
    const table = sequence.blocks.blocks
    const end = part.start + part.tokens
    for (let position = part.start, t = tokenRow; position < end; position++, t++) {
      tokens[t] = sequence.tokens[position]!
      positions[t] = position
      if (cached) slots[t] = table[Math.floor(position / blockSize)]! * blockSize + (position % blockSize)
    }
    if (part.link >= 0) tokens[tokenRow + part.tokens - 1] = -1 - part.link
    if (part.rows > 0) packRows(arrays.outputs, part, tokenRow, drawn)
    tokenRow += part.tokens
    arrays.sequenceStarts[s + 1] = tokenRow
    arrays.contextLengths[s] = end
    const used = !cached ? 0 : Math.ceil(end / blockSize)
    for (let b = 0; b < used; b++) blockTables[blockAt + b] = table[b]!
    blockAt += used
    arrays.blockTableStarts[s + 1] = blockAt
  }
  return {
    step: step.step,
    tokens,
    positions,
    sequenceStarts: arrays.sequenceStarts,
    contextLengths: arrays.contextLengths,
    cacheGroups: cached ? [{ slots, blockTables, blockTableStarts: arrays.blockTableStarts }] : [],
    copies: Int32Array.from(step.copies),
    rows: drawn.length === 0 ? arrays.outputs : { ...arrays.outputs, edits: packEdits(drawn, step.totalRows) },
    ...(pooler === undefined ? {} : { pool: packPool(step, pooler) })
  }
}
