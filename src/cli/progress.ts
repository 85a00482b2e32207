import { progressBar } from "../domain/request/progress.ts"

/** How far a command is. */
export interface Count {
  replies: number
  readonly total: number
  promptTokens: number
  tokens: number
}

/** Milliseconds between two drawings. */
const interval = 100

export const rate = (tokens: number, milliseconds: number): string =>
  (tokens / Math.max(milliseconds / 1000, 1e-3)).toFixed(1)

/** A bar on the last line of a terminal. Other writers of that terminal go through `around`. */
export class ProgressBar {
  readonly #count: Count
  readonly #write: (text: string) => void
  readonly #start = performance.now()
  readonly #timer: NodeJS.Timeout

  constructor(count: Count, write: (text: string) => void) {
    this.#count = count
    this.#write = write
    this.#timer = setInterval(() => this.#draw(), interval).unref()
  }

  #draw() {
    const { replies: finished, total, promptTokens, tokens: generationTokens } = this.#count
    const elapsedMillis = performance.now() - this.#start
    const columns = (process.stderr.columns ?? 121) - 1
    const progress = { finished, total, promptTokens, generationTokens, elapsedMillis }
    this.#write(`\r\x1b[2K${progressBar(progress, columns)}`)
  }

  /** Takes the bar away until it is next due, so that a line can be written in its place. */
  clear() {
    this.#write("\r\x1b[2K")
  }

  stop() {
    clearInterval(this.#timer)
    this.clear()
  }
}
