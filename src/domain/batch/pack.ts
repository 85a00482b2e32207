import type { TokenConstraint } from "../grammar/constraint.ts"
import type { BlockTable } from "../kv/blockTable.ts"
import type { PoolTarget } from "../pooling/target.ts"
import type { DrawParams } from "../request/sequence.ts"
import type { PooledRows, PoolerConfig } from "../schedule/scheduler.ts"
import { type DrawnRow, packEdits } from "./packEdits.ts"
import { packPool } from "./packPool.ts"
import type { OutputRows, StepInput } from "./step.ts"

/** Whose parameters a row is drawn with. */
export interface PackedRow {
  readonly entry: { readonly seedLow: number; readonly seedHigh: number }
  readonly sequence: {
    readonly tokens: ReadonlyArray<number>
    readonly promptLength: number
    readonly draw: DrawParams
    readonly constraint?: TokenConstraint
    readonly blocks: BlockTable
    readonly pool?: PoolTarget
  }
}

/** What packing needs to know of one sequence's share of a step. */
export interface PackedPart extends PackedRow {
  readonly start: number
  readonly tokens: number
  readonly rowStart: number
  readonly rows: number
  readonly draws: boolean
  /** Those that draw their first token at the same position: the last rows, behind the sequence's own. */
  readonly forks: ReadonlyArray<PackedRow["entry"] & Pick<PackedRow, "sequence">>
  /** Output row of the step before that brings the part's last token; -1: all its tokens are known. */
  readonly link: number
  /** Of a sequence with a `pool` target. */
  readonly pooled: PooledRows | undefined
  /** Where its running sum is kept; -1: nowhere. */
  readonly carry: number
}

export interface PackedStep {
  readonly step: number
  readonly parts: ReadonlyArray<PackedPart>
  readonly totalTokens: number
  readonly totalRows: number
  readonly copies: ReadonlyArray<number>
  readonly totalPooled: number
  readonly totalEach: number
}

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

const packRow = (rows: OutputRows, row: number, index: number, part: PackedRow, target: number, position: number) => {
  const { draw, promptLength } = part.sequence
  rows.index[row] = index
  rows.target[row] = target
  rows.logprobs[row] = target === -1 ? draw.logprobs : draw.promptLogprobs
  rows.temperature[row] = draw.temperature
  rows.topK[row] = draw.topK
  rows.topP[row] = draw.topP
  rows.minP[row] = draw.minP
  rows.seed[2 * row] = part.entry.seedLow
  rows.seed[2 * row + 1] = part.entry.seedHigh
  // The row at the last prompt position draws output token 0. A prompt row draws nothing.
  rows.outputIndex[row] = target === -1 ? position - promptLength + 1 : 0
}

/** A row that draws, and what it asks to be done to its logits. */
const drawRow = (
  rows: OutputRows,
  row: number,
  index: number,
  from: PackedRow,
  position: number,
  drawn: Array<DrawnRow>
) => {
  packRow(rows, row, index, from, -1, position)
  const { draw, constraint } = from.sequence
  if (draw.edits !== undefined || constraint !== undefined)
    drawn.push({ row, sequence: from.sequence, outputIndex: rows.outputIndex[row]! })
}

const packRows = (rows: OutputRows, part: PackedPart, tokenRow: number, drawn: Array<DrawnRow>) => {
  const { tokens, promptLength } = part.sequence
  const end = part.start + part.tokens
  const own = part.rows - part.forks.length
  const promptRows = part.draws ? own - 1 : own
  // The first rows of a part are its last prompt positions that are followed by a prompt token.
  const first = Math.min(end, promptLength - 1) - promptRows
  for (let i = 0; i < promptRows; i++) {
    const position = first + i
    packRow(rows, part.rowStart + i, tokenRow + position - part.start, part, tokens[position + 1]!, position)
  }
  if (!part.draws) return
  const row = part.rowStart + own - 1
  drawRow(rows, row, tokenRow + part.tokens - 1, part, end - 1, drawn)
  part.forks.forEach((fork, i) => {
    drawRow(rows, row + 1 + i, tokenRow + part.tokens - 1, { entry: fork, sequence: fork.sequence }, end - 1, drawn)
  })
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
