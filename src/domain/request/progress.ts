/** How far a batch of requests has come. */
export interface Progress {
  readonly finished: number
  readonly total: number
  /** Tokens written since the batch began. */
  readonly generationTokens: number
  readonly elapsedMillis: number
}

const width = 30

/** One line of a progress bar, without a line's end. */
export const progressBar = ({ finished, total, generationTokens, elapsedMillis }: Progress): string => {
  const filled = total === 0 ? width : Math.floor((finished / total) * width)
  const rate = elapsedMillis > 0 ? (generationTokens / elapsedMillis) * 1000 : 0
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${finished}/${total}  ${rate.toFixed(1)} tokens/s`
}
