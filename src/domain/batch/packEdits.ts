import type { TokenConstraint } from "../grammar/constraint.ts"
import type { DrawParams, LogitEdits } from "../request/sequence.ts"
import type { RowEdits } from "./step.ts"

/** A row that draws and whose logits are changed first. */
export interface DrawnRow {
  readonly row: number
  readonly outputIndex: number
  readonly sequence: {
    readonly tokens: ReadonlyArray<number>
    readonly promptLength: number
    readonly draw: DrawParams
    readonly constraint?: TokenConstraint
  }
}

/** What a row looks back at: the prompt for repetition alone, the whole output for penalties, its end for bad words. */
const lookBack = ({ sequence, outputIndex }: DrawnRow) => {
  const { promptLength, draw } = sequence
  const edits = draw.edits
  // The newest output token is the row's own input, which the device adds.
  const outputEnd = promptLength + Math.max(0, outputIndex - 1)
  if (edits === undefined) return { prompt: 0, outputStart: outputEnd, outputEnd }
  const repeats = edits.repetitionPenalty !== 1
  if (repeats || edits.presencePenalty !== 0 || edits.frequencyPenalty !== 0)
    return { prompt: repeats ? promptLength : 0, outputStart: promptLength, outputEnd }
  const longest = edits.badWords.reduce((most, word) => Math.max(most, word.length), 0)
  return { prompt: 0, outputStart: Math.max(promptLength, outputEnd - Math.max(0, longest - 2)), outputEnd }
}

const early = (edits: LogitEdits, outputIndex: number) => (outputIndex < edits.minTokens ? edits.early.length : 0)

/** How long each array becomes; masks that rows share are laid down once. */
const measure = (drawn: ReadonlyArray<DrawnRow>) => {
  const shared = new Set<Uint32Array>()
  const size = { masks: 0, words: 0, bias: 0, badWords: 0, history: 0 }
  for (const row of drawn) {
    const { draw, constraint } = row.sequence
    const { prompt, outputStart, outputEnd } = lookBack(row)
    size.history += prompt + outputEnd - outputStart
    if (constraint !== undefined) {
      size.masks++
      size.words = constraint.words
    }
    if (draw.edits === undefined) continue
    const { allowed, badWords, biasIds } = draw.edits
    if (allowed !== undefined) {
      shared.add(allowed)
      size.words = allowed.length
    }
    size.bias += early(draw.edits, row.outputIndex) + biasIds.length
    for (const word of badWords) size.badWords += 1 + word.length
  }
  size.masks += shared.size
  return size
}

const makeEdits = (rows: number, size: ReturnType<typeof measure>): RowEdits => ({
  mask: new Int32Array(rows).fill(-1),
  allowed: new Int32Array(rows).fill(-1),
  masks: new Uint32Array(size.masks * size.words),
  biasStarts: new Int32Array(rows + 1),
  biasIds: new Int32Array(size.bias),
  biasValues: new Float32Array(size.bias),
  badWordStarts: new Int32Array(rows + 1),
  badWords: new Int32Array(size.badWords),
  repetition: new Float32Array(rows).fill(1),
  presence: new Float32Array(rows),
  frequency: new Float32Array(rows),
  historyStarts: new Int32Array(rows + 1),
  history: new Int32Array(size.history),
  promptCounts: new Int32Array(rows)
})

/** Lays one row's changes behind those of the rows before it. */
class EditWriter {
  private readonly shared = new Map<Uint32Array, number>()
  private mask = 0
  private bias = 0
  private word = 0
  private past = 0

  constructor(
    private readonly edits: RowEdits,
    private readonly words: number
  ) {}

  add(drawn: DrawnRow): void {
    const { draw, constraint } = drawn.sequence
    if (constraint !== undefined) {
      constraint.fillMask(this.edits.masks, this.mask * this.words)
      this.edits.mask[drawn.row] = this.mask++
    }
    if (draw.edits !== undefined) this.addEdits(drawn, draw.edits)
    this.edits.biasStarts[drawn.row + 1] = this.bias
    this.edits.badWordStarts[drawn.row + 1] = this.word
    this.edits.historyStarts[drawn.row + 1] = this.past
  }

  private addEdits(drawn: DrawnRow, asked: LogitEdits): void {
    const { edits } = this
    const { row, outputIndex } = drawn
    if (asked.allowed !== undefined) edits.allowed[row] = this.sharedMask(asked.allowed)
    const forbidden = early(asked, outputIndex)
    for (let i = 0; i < forbidden; i++) this.addBias(asked.early[i]!, Number.NEGATIVE_INFINITY)
    for (let i = 0; i < asked.biasIds.length; i++) this.addBias(asked.biasIds[i]!, asked.biasValues[i]!)
    for (const ids of asked.badWords) {
      edits.badWords[this.word++] = ids.length
      for (const id of ids) edits.badWords[this.word++] = id
    }
    edits.repetition[row] = asked.repetitionPenalty
    edits.presence[row] = asked.presencePenalty
    edits.frequency[row] = asked.frequencyPenalty
    this.addHistory(drawn)
  }

  private addHistory(drawn: DrawnRow): void {
    const { tokens } = drawn.sequence
    const { prompt, outputStart, outputEnd } = lookBack(drawn)
    this.edits.promptCounts[drawn.row] = prompt
    for (let i = 0; i < prompt; i++) this.edits.history[this.past++] = tokens[i]!
    for (let i = outputStart; i < outputEnd; i++) this.edits.history[this.past++] = tokens[i]!
  }

  private addBias(id: number, value: number): void {
    this.edits.biasIds[this.bias] = id
    this.edits.biasValues[this.bias++] = value
  }

  private sharedMask(allowed: Uint32Array): number {
    const known = this.shared.get(allowed)
    if (known !== undefined) return known
    this.edits.masks.set(allowed, this.mask * this.words)
    this.shared.set(allowed, this.mask)
    return this.mask++
  }
}

/** Starts of rows without changes repeat those before them. */
const carryForward = (starts: Int32Array) => {
  for (let r = 1; r < starts.length; r++) starts[r] = Math.max(starts[r]!, starts[r - 1]!)
}

/** The arrays of `RowEdits` for a step of `rows` output rows; `drawn` in the order of its rows. */
export const packEdits = (drawn: ReadonlyArray<DrawnRow>, rows: number): RowEdits => {
  const size = measure(drawn)
  const edits = makeEdits(rows, size)
  const writer = new EditWriter(edits, size.words)
  for (const row of drawn) writer.add(row)
  for (const starts of [edits.biasStarts, edits.badWordStarts, edits.historyStarts]) carryForward(starts)
  return edits
}
