import type { FinishReason } from "../request/sequence.ts"
import type { Entry } from "./state.ts"

/** Whether the token ends replies by itself. */
export const isEnd = ({ sequence: { limits } }: Entry, token: number): boolean =>
  (!limits.ignoreEos && limits.eosTokenIds.has(token)) || limits.stopTokenIds.has(token)

/** Why the token that was just appended ends the sequence, if it does. */
export const finishReason = (entry: Entry, token: number): FinishReason | undefined => {
  const { tokens, constraint } = entry.sequence
  if (isEnd(entry, token)) return "stop"
  // What the grammar asks for is whole: there is nothing to say but the end.
  if (constraint?.finished === true) return "stop"
  return tokens.length >= entry.limit ? "length" : undefined
}

/** The stop token id that ended the sequence; an end-of-sequence token is no stop token. */
export const stopReason = (entry: Entry, token: number): number | undefined => {
  const { limits } = entry.sequence
  return (limits.ignoreEos || !limits.eosTokenIds.has(token)) && limits.stopTokenIds.has(token) ? token : undefined
}
