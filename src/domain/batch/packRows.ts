import type { DrawnRow } from "./packEdits.ts"
import type { PackedPart, PackedRow } from "./packedStep.ts"
import type { OutputRows } from "./step.ts"

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

/** The output rows of a part, whose first token is row `tokenRow` of the batch. */
export const packRows = (rows: OutputRows, part: PackedPart, tokenRow: number, drawn: Array<DrawnRow>) => {
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
