import type { Entry } from "./state.ts"

/** Negative when `a` is served before `b`. Ids are unique, so no two entries are equal. */
export const compare = (a: Entry, b: Entry) => a.rank - b.rank || a.sequence.id - b.sequence.id

/** Puts an entry at its place of a list in serving order; the newest arrival goes to the end at once. */
export const insert = (list: Array<Entry>, entry: Entry) => {
  let low = 0
  let high = list.length
  if (high > 0 && compare(list[high - 1]!, entry) < 0) low = high
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(list[middle]!, entry) < 0) low = middle + 1
    else high = middle
  }
  list.splice(low, 0, entry)
}

export const remove = (list: Array<Entry>, entry: Entry) => {
  const at = list.indexOf(entry)
  if (at >= 0) list.splice(at, 1)
}

/**
 * Whether the last pending token of an entry can be read from the step before `step` by its row: that step must be the
 * very one that draws it.
 */
export const linked = (entry: Entry, step: number) => entry.sequence.pending > 0 && entry.drawStep === step - 1

/**
 * The end of the tokens that `step` may compute for an entry: all that are known, and the one that the step before is
 * drawing. Nothing when pending draws bring the sequence to its limit, for what followed would be thrown away; and nothing
 * for one that waits for its tokens while one is pending, or for the end of its leader's prompt.
 */
export const computableEnd = (entry: Entry, step: number): number => {
  const { sequence } = entry
  if (entry.leader !== undefined) return sequence.computed
  const known = sequence.tokens.length + sequence.pending
  if (known >= entry.limit) return sequence.computed
  if (sequence.waitsForTokens && sequence.pending > 0) return sequence.computed
  if (sequence.pending === 0) return known
  const next = known - 1
  // A token between the last known and the linked one is on its way in an earlier step: only what is before it can run.
  if (linked(entry, step) && (sequence.pending === 1 || sequence.computed >= next)) return known
  return Math.max(sequence.computed, sequence.tokens.length)
}
