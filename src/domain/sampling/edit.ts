import type { RowEdits } from "../batch/step.ts"

/** What is never drawn. */
const forbidden = Number.NEGATIVE_INFINITY

const keepSet = (logits: Float32Array, masks: Uint32Array, mask: number): void => {
  if (mask < 0) return
  const from = mask * Math.ceil(logits.length / 32)
  for (let id = 0; id < logits.length; id++)
    if (((masks[from + (id >>> 5)]! >>> (id & 31)) & 1) === 0) logits[id] = forbidden
}

/** Forbids, in place, what row `r`'s grammar does not leave open. Logprobs are taken after this. */
export const maskRow = (logits: Float32Array, edits: RowEdits, r: number): void =>
  keepSet(logits, edits.masks, edits.mask[r]!)

/** A word's last token is forbidden where the output ends with those before it. */
const forbidBadWords = (logits: Float32Array, edits: RowEdits, r: number, output: ReadonlyArray<number>): void => {
  const { badWords, badWordStarts } = edits
  for (let at = badWordStarts[r]!; at < badWordStarts[r + 1]!; at += 1 + badWords[at]!) {
    const word = badWords.subarray(at + 1, at + 1 + badWords[at]!)
    const before = word.length - 1
    const last = word[before]!
    if (before > output.length || last >= logits.length) continue
    const ends = word.subarray(0, before).every((id, i) => id === output[output.length - before + i])
    if (ends) logits[last] = forbidden
  }
}

/** Once for each id, however often it occurs. */
const penalizeRepetition = (logits: Float32Array, penalty: number, past: Iterable<number>): void => {
  for (const id of new Set(past)) {
    if (id >= logits.length) continue
    const logit = logits[id]!
    logits[id] = logit > 0 ? logit / penalty : logit * penalty
  }
}

const penalizeOccurrence = (
  logits: Float32Array,
  frequency: number,
  presence: number,
  output: ReadonlyArray<number>
): void => {
  const counts = new Map<number, number>()
  for (const id of output) counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const [id, count] of counts) {
    if (id >= logits.length) continue
    logits[id] = logits[id]! - Math.fround(frequency * count)
    logits[id] = logits[id]! - presence
  }
}

/**
 * Changes row `r`'s logits, in place, as its request asks: allowed ids, bad words, biases (minTokens among them), penalties.
 * `newest`: the newest output token, which the row's history leaves out; -1 where there is none. Every step rounds to
 * float32, as the native twin (src/native/cpu/kernels/edit.h) does.
 */
export const editRow = (logits: Float32Array, edits: RowEdits, r: number, newest: number): void => {
  keepSet(logits, edits.masks, edits.allowed[r]!)
  const past = [...edits.history.subarray(edits.historyStarts[r]!, edits.historyStarts[r + 1]!)]
  if (newest >= 0) past.push(newest)
  const output = past.slice(edits.promptCounts[r]!)
  forbidBadWords(logits, edits, r, output)
  for (let i = edits.biasStarts[r]!; i < edits.biasStarts[r + 1]!; i++) {
    const id = edits.biasIds[i]!
    logits[id] = logits[id]! + edits.biasValues[i]!
  }
  if (edits.repetition[r] !== 1) penalizeRepetition(logits, edits.repetition[r]!, past)
  if (edits.presence[r] !== 0 || edits.frequency[r] !== 0)
    penalizeOccurrence(logits, edits.frequency[r]!, edits.presence[r]!, output)
}
