/** How far a batch of requests has come. */
export interface Progress {
  readonly finished: number
  readonly total: number
  /** Tokens of the prompts of requests that have ended. */
  readonly promptTokens: number
  /** Tokens written by requests that have ended. */
  readonly generationTokens: number
  readonly elapsedMillis: number
}

/** What is counted of a request that has ended: generative, pooling, or a beam search. */
export interface Ended {
  readonly promptTokenIds?: ReadonlyArray<number>
  readonly outputs?: unknown
  readonly sequences?: ReadonlyArray<{
    readonly tokenIds: ReadonlyArray<number>
    readonly outputTokenIds: ReadonlyArray<number>
  }>
}

const total = (lists: ReadonlyArray<ReadonlyArray<number>>) => lists.reduce((sum, { length }) => sum + length, 0)

/** Tokens of prompt and replies; a pooling request writes none. */
export const countTokens = ({ promptTokenIds = [], outputs, sequences }: Ended) => {
  if (sequences !== undefined) {
    const generationTokens = total(sequences.map(({ outputTokenIds }) => outputTokenIds))
    const { tokenIds = [], outputTokenIds = [] } = sequences[0] ?? {}
    return { promptTokens: tokenIds.length - outputTokenIds.length, generationTokens }
  }
  const replies: ReadonlyArray<{ readonly tokenIds: ReadonlyArray<number> }> = Array.isArray(outputs) ? outputs : []
  return { promptTokens: promptTokenIds.length, generationTokens: total(replies.map(({ tokenIds }) => tokenIds)) }
}

const most = 30
const least = 10

const pad = (count: number) => String(count).padStart(2, "0")

/** mm:ss, with hours where there are any; a question mark where nobody knows. */
const clock = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return "?"
  const whole = Math.floor(seconds)
  const minutes = Math.floor(whole / 60)
  const short = `${pad(minutes % 60)}:${pad(whole % 60)}`
  return minutes < 60 ? short : `${Math.floor(minutes / 60)}:${short}`
}

/** Requests a second, or seconds a request where that says more. */
const pace = (perSecond: number): string =>
  perSecond === 0 ? "? it/s" : perSecond < 1 ? `${(1 / perSecond).toFixed(2)} s/it` : `${perSecond.toFixed(2)} it/s`

/**
 * One line of a progress bar, without a line's end, in the words that users of tqdm know: time gone, time left, pace, and
 * the speed of input and output. Never longer than `columns`.
 */
export const progressBar = (progress: Progress, columns = 120): string => {
  const { finished, total, promptTokens, generationTokens, elapsedMillis } = progress
  const share = total === 0 ? 1 : finished / total
  const seconds = elapsedMillis / 1000
  const perSecond = (count: number) => (seconds > 0 ? count / seconds : 0)
  const left = finished === 0 ? Number.NaN : (seconds / finished) * (total - finished)
  const speed = `input: ${perSecond(promptTokens).toFixed(1)} tokens/s, output: ${perSecond(generationTokens).toFixed(1)} tokens/s`
  const before = `Processed prompts: ${String(Math.floor(share * 100)).padStart(3)}%|`
  const after = `| ${finished}/${total} [${clock(seconds)}<${clock(left)}, ${pace(perSecond(finished))}, ${speed}]`
  const width = Math.min(most, Math.max(least, columns - before.length - after.length))
  const filled = Math.floor(share * width)
  return `${before}${"█".repeat(filled)}${" ".repeat(width - filled)}${after}`.slice(0, columns)
}
