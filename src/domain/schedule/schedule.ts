import { branchAtPromptEnd } from "./fork.ts"
import { computableEnd, insert } from "./policy.ts"
import { makeRoom } from "./preempt.ts"
import type { Entry, Part, SchedulerState, SubmittedStep } from "./state.ts"

/** A step while it is being filled. */
interface Draft {
  readonly step: number
  readonly parts: Array<Part>
  readonly copies: Array<number>
  budget: number
  rows: number
  /** Somebody served earlier is short of blocks: nobody served later takes any. */
  short: boolean
}

/** How many tokens an entry gets, of those it could compute: 0 when it must wait for a step with more room. */
const share = (state: SchedulerState, draft: Draft, want: number): number => {
  const { enableChunkedPrefill, longPrefillTokenThreshold } = state.config
  if (!enableChunkedPrefill) return want <= draft.budget ? want : 0
  const most = longPrefillTokenThreshold > 0 ? Math.min(want, longPrefillTokenThreshold) : want
  return Math.min(most, draft.budget)
}

/** The block that an entry's next token is written to becomes its own, where forks share it. There must be room. */
const ownWritten = (state: SchedulerState, draft: Draft, { sequence }: Entry) => {
  const at = Math.floor(sequence.computed / state.pool.config.blockSize)
  if (!state.pool.shared(sequence.blocks, at)) return
  const { from, to } = state.pool.unshare(sequence.blocks, at)
  draft.copies.push(from, to)
}

/** Gives an entry `tokens` tokens of the step; from here on they count as computed. */
const take = (state: SchedulerState, draft: Draft, entry: Entry, tokens: number) => {
  const { sequence } = entry
  ownWritten(state, draft, entry)
  const start = sequence.computed
  const end = start + tokens
  const draws = end === sequence.tokens.length + sequence.pending
  let rows = draws ? 1 : 0
  if (sequence.draw.promptLogprobs >= 0) {
    const promptEnd = Math.min(end, sequence.promptLength - 1)
    rows += Math.max(0, promptEnd - Math.max(start, entry.promptRowsDone))
    entry.promptRowsDone = Math.max(entry.promptRowsDone, promptEnd)
  }
  const link = end > sequence.tokens.length ? entry.drawRow : -1
  const rowStart = draft.rows
  draft.budget -= tokens
  draft.rows += rows
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
  draft.parts.push({ entry, sequence, epoch: entry.epoch, start, tokens, rowStart, rows, draws, forks, link })
}

const none: ReadonlyArray<Entry> = []

/** Running sequences in serving order. Who is preempted leaves the list from its end, at or behind where we stand. */
const serveRunning = (state: SchedulerState, draft: Draft) => {
  const { running, pool } = state
  for (let i = 0; i < running.length && draft.budget > 0; i++) {
    const entry = running[i]!
    const { computed, blocks } = entry.sequence
    const tokens = share(state, draft, computableEnd(entry, draft.step) - computed)
    if (tokens === 0) continue
    const { blockSize } = pool.config
    const grows = computed + tokens > blocks.blocks.length * blockSize
    if (grows || pool.shared(blocks, Math.floor(computed / blockSize))) {
      if (draft.short) continue
      if (makeRoom(state, entry, computed + tokens) === "later") {
        draft.short = true
        continue
      }
    }
    take(state, draft, entry, tokens)
  }
}

/** What the prefix cache has for an entry that holds no blocks. */
const adopt = (state: SchedulerState, entry: Entry): number => {
  const { sequence } = entry
  if (sequence.draw.promptLogprobs >= 0) return 0
  return state.pool.adopt(sequence.blocks, sequence.tokens, sequence.cacheSalt)
}

const countAdmission = (state: SchedulerState, entry: Entry, cached: number) => {
  if (entry.admitted) return
  entry.admitted = true
  entry.sequence.cached = cached
  if (!state.pool.config.prefixCaching || entry.sequence.draw.promptLogprobs >= 0) return
  state.prefixCacheQueries += entry.sequence.promptLength
  state.prefixCacheHits += cached
}

/** Room for the first tokens of a waiting entry. "skip": it waits for a token, not for room. */
const admit = (state: SchedulerState, draft: Draft, entry: Entry): "admitted" | "skip" | "full" => {
  const { sequence } = entry
  if (computableEnd(entry, draft.step) === sequence.computed) return "skip"
  const fresh = sequence.blocks.blocks.length === 0
  if (fresh) sequence.computed = adopt(state, entry)
  const cached = sequence.computed
  const tokens = share(state, draft, computableEnd(entry, draft.step) - sequence.computed)
  if (tokens === 0 || makeRoom(state, entry, sequence.computed + tokens) === "later") {
    if (fresh) {
      state.pool.release(sequence.blocks)
      sequence.computed = 0
    }
    return "full"
  }
  countAdmission(state, entry, fresh ? cached : 0)
  sequence.status = "running"
  take(state, draft, entry, tokens)
  return "admitted"
}

/** Waiting sequences in serving order; the first that finds no room keeps the later ones from passing it. */
const serveWaiting = (state: SchedulerState, draft: Draft) => {
  const { waiting, running, config } = state
  let i = 0
  while (i < waiting.length && draft.budget > 0 && running.length < config.maxNumSeqs) {
    const entry = waiting[i]!
    const outcome = admit(state, draft, entry)
    if (outcome === "full") return
    if (outcome === "skip") i++
    else {
      // Those it preempted wait behind it, so its own place has not moved.
      waiting.splice(i, 1)
      insert(running, entry)
    }
  }
}

/** Chooses the tokens of the next step; undefined, and no step number used, when nothing can run. */
export const chooseStep = (state: SchedulerState): SubmittedStep | undefined => {
  const budget = state.config.maxNumBatchedTokens
  const draft: Draft = { step: state.nextStep, parts: [], copies: [], budget, rows: 0, short: false }
  serveRunning(state, draft)
  // Who waits takes no block from under a running sequence that is short. With nothing in flight, though, no block is on
  // its way: the short one gave way to somebody who waits and is served before it.
  const stalled = draft.parts.length === 0 && state.submitted.length === 0
  if (!draft.short || stalled) serveWaiting(state, draft)
  if (draft.parts.length === 0) return undefined
  const { parts, copies, rows: totalRows } = draft
  const step = { step: draft.step, parts, copies, totalTokens: budget - draft.budget, totalRows }
  state.submitted.push(step)
  state.nextStep++
  return step
}
