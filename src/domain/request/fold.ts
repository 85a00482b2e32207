import type { GenerationDelta, PromptLogprobs, RequestMetrics, RequestOutput, TokenLogprobs } from "./outputs.ts"
import type { FinishReason } from "./sequence.ts"

/** What was asked, as the output repeats it. */
export interface Asked {
  readonly requestId: string
  readonly prompt: string | null
  readonly promptTokenIds: ReadonlyArray<number>
}

interface Gathered {
  readonly index: number
  text: string
  tokenIds: Array<number>
  cumulativeLogprob: number | null
  logprobs: Array<TokenLogprobs> | null
  finishReason: FinishReason | null
  stopReason: string | number | null
}

const nothing = (index: number): Gathered => ({
  index,
  text: "",
  tokenIds: [],
  cumulativeLogprob: null,
  logprobs: null,
  finishReason: null,
  stopReason: null
})

const gather = (into: Gathered, delta: GenerationDelta) => {
  into.text += delta.text
  for (const token of delta.tokenIds) into.tokenIds.push(token)
  for (const entries of delta.logprobs ?? []) {
    into.logprobs ??= []
    into.logprobs.push(entries)
    into.cumulativeLogprob = (into.cumulativeLogprob ?? 0) + entries[0]!.logprob
  }
  into.finishReason = delta.finishReason
  into.stopReason = delta.stopReason
}

/** A request's deltas as one output. `cumulative`: each delta repeats all that came before, so the last one of an index counts. */
export const foldDeltas = (asked: Asked, deltas: Iterable<GenerationDelta>, cumulative = false): RequestOutput => {
  const outputs: Array<Gathered> = []
  let promptLogprobs: PromptLogprobs | null = null
  let numCachedTokens = 0
  let metrics: RequestMetrics | null = null
  let finished = false
  for (const delta of deltas) {
    const before = outputs[delta.index]
    const into = before === undefined || cumulative ? nothing(delta.index) : before
    gather(into, delta)
    outputs[delta.index] = into
    if (delta.prompt !== undefined) ({ logprobs: promptLogprobs, numCachedTokens } = delta.prompt)
    if (delta.usage !== undefined) finished = true
    metrics = delta.metrics ?? metrics
  }
  return { ...asked, promptLogprobs, outputs, finished, numCachedTokens, metrics }
}
