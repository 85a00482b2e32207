import { branchAtPromptEnd } from "./fork.ts"
import { keepSum, pooledRows } from "./pooled.ts"
import type { Entry, Part, SchedulerState } from "./state.ts"

/** A step while it is being filled. */
export interface Draft {
  readonly step: number
  readonly parts: Array<Part>
  readonly copies: Array<number>
  budget: number
  rows: number
  pooled: number
  each: number
  /** Somebody served earlier is short of blocks: nobody served later takes any. */
  short: boolean
}

export const emptyDraft = (step: number, budget: number): Draft => ({
  step,
  parts: [],
  copies: [],
  budget,
  rows: 0,
  pooled: 0,
  each: 0,
  short: false
})

const none: ReadonlyArray<Entry> = []

/** The block that an entry's next token is written to becomes its own, where forks share it. There must be room. */
const ownWritten = (state: SchedulerState, draft: Draft, { sequence }: Entry) => {
  const at = Math.floor(sequence.computed / state.pool.config.blockSize)
  if (!state.pool.shared(sequence.blocks, at)) return
  const { from, to } = state.pool.unshare(sequence.blocks, at)
  draft.copies.push(from, to)
}

/** Gives an entry `tokens` tokens of the step; from here on they count as computed. */
export const take = (state: SchedulerState, draft: Draft, entry: Entry, tokens: number) => {
  const { sequence } = entry
  ownWritten(state, draft, entry)
  const start = sequence.computed
  const end = start + tokens
  const draws = sequence.pool === undefined && end === sequence.tokens.length + sequence.pending
  let rows = draws ? 1 : 0
  if (sequence.draw.promptLogprobs >= 0) {
    const promptEnd = Math.min(end, sequence.promptLength - 1)
    rows += Math.max(0, promptEnd - Math.max(start, entry.promptRowsDone))
    entry.promptRowsDone = Math.max(entry.promptRowsDone, promptEnd)
  }
  const link = end > sequence.tokens.length ? entry.drawRow : -1
  const rowStart = draft.rows
  const pooled = pooledRows(sequence, start, end, draft.pooled, draft.each)
  const carry = keepSum(state, entry, end)
  draft.budget -= tokens
  draft.rows += rows
  if (pooled !== undefined) {
    draft.pooled += pooled.row < 0 ? 0 : 1
    draft.each += pooled.eachRows
  }
  sequence.computed = end
  entry.lastStep = draft.step
  let forks: ReadonlyArray<Entry> = none
  if (draws) {
    sequence.pending++
    entry.drawStep = draft.step
    entry.drawRow = draft.rows - 1
    if (entry.forks.length > 0) forks = branchAtPromptEnd(state, entry)
    draft.rows += forks.length
    rows += forks.length
  }
  const { epoch } = entry
  draft.parts.push({ entry, sequence, epoch, start, tokens, rowStart, rows, draws, forks, link, pooled, carry })
}
