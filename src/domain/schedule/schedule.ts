import { readsCache } from "../pooling/target.ts"
import { computableEnd, insert } from "./policy.ts"
import { makeRoom } from "./preempt.ts"
import type { Entry, SchedulerState, SubmittedStep } from "./state.ts"
import { type Draft, emptyDraft, take } from "./take.ts"

/** Every token sees every other: no sequence is split, and none takes blocks. */
const wholeSequences = ({ config }: SchedulerState): boolean => config.pooler?.bidirectional === true

/** How many tokens an entry gets, of those it could compute: 0 when it must wait for a step with more room. */
const share = (state: SchedulerState, draft: Draft, want: number): number => {
  const { enableChunkedPrefill, longPrefillTokenThreshold } = state.config
  if (!enableChunkedPrefill || wholeSequences(state)) return want <= draft.budget ? want : 0
  const most = longPrefillTokenThreshold > 0 ? Math.min(want, longPrefillTokenThreshold) : want
  return Math.min(most, draft.budget)
}

/** Running sequences in serving order. Who is preempted leaves the list from its end, at or behind where we stand. */
const serveRunning = (state: SchedulerState, draft: Draft) => {
  const { running, pool } = state
  for (let i = 0; i < running.length && draft.budget > 0; i++) {
    const entry = running[i]!
    const { computed, blocks } = entry.sequence
    const tokens = share(state, draft, computableEnd(entry, draft.step) - computed)
    if (tokens === 0) continue
    const { blockSize } = pool.config
    const grows = !wholeSequences(state) && computed + tokens > blocks.blocks.length * blockSize
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

/** Whether cached blocks may stand for tokens of the sequence: not where every token's row is asked for. */
const adopts = ({ draw, pool, promptLength }: Entry["sequence"]): boolean =>
  draw.promptLogprobs < 0 && (pool === undefined || readsCache(pool, promptLength))

/** What the prefix cache has for an entry that holds no blocks. */
const adopt = (state: SchedulerState, entry: Entry): number => {
  const { sequence } = entry
  if (wholeSequences(state) || !adopts(sequence)) return 0
  return state.pool.adopt(sequence.blocks, sequence.tokens, sequence.cacheSalt)
}

const countAdmission = (state: SchedulerState, entry: Entry, cached: number) => {
  if (entry.admitted) return
  entry.admitted = true
  entry.sequence.cached = cached
  if (!state.pool.config.prefixCaching || !adopts(entry.sequence)) return
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
  const room = () => wholeSequences(state) || makeRoom(state, entry, sequence.computed + tokens) === "now"
  if (tokens === 0 || !room()) {
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
  const draft = emptyDraft(state.nextStep, budget)
  serveRunning(state, draft)
  // Who waits takes no block from under a running sequence that is short. With nothing in flight, though, no block is on
  // its way: the short one gave way to somebody who waits and is served before it.
  const stalled = draft.parts.length === 0 && state.submitted.length === 0
  if (!draft.short || stalled) serveWaiting(state, draft)
  if (draft.parts.length === 0) return undefined
  const { parts, copies } = draft
  const totals = { totalRows: draft.rows, totalPooled: draft.pooled, totalEach: draft.each }
  const step = { step: draft.step, parts, copies, totalTokens: budget - draft.budget, ...totals }
  state.submitted.push(step)
  state.nextStep++
  return step
}
