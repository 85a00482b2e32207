import { InvalidOptions } from "../errors.ts"
import type { BlockPool } from "../kv/blockPool.ts"
import type { SchedulerConfig } from "./scheduler.ts"

const require = (holds: boolean, field: string, given: number, expected: string, mend: string) => {
  if (!holds) throw new InvalidOptions({ field, given: String(given), expected, mend })
}

/** Throws InvalidOptions for a configuration under which some request could never be served. */
export const checkConfig = (config: SchedulerConfig, pool: BlockPool) => {
  const { maxNumBatchedTokens, maxNumSeqs, maxModelLen, longPrefillTokenThreshold: threshold } = config
  const whole = (value: number, least: number) => Number.isInteger(value) && value >= least
  require(whole(maxNumSeqs, 1), "maxNumSeqs", maxNumSeqs, "at least 1", "Raise it.")
  require(whole(maxModelLen, 2), "maxModelLen", maxModelLen, "at least 2", "A prompt token and a reply must fit.")
  require(whole(threshold, 0), "longPrefillTokenThreshold", threshold, "0 (off) or more", "Leave it out.")
  require(whole(
    maxNumBatchedTokens,
    maxNumSeqs
  ), "maxNumBatchedTokens", maxNumBatchedTokens, `at least maxNumSeqs (${maxNumSeqs})`, "Raise it or lower maxNumSeqs: every running sequence needs a token of the step.")
  require(config.enableChunkedPrefill ||
    maxNumBatchedTokens >=
      maxModelLen, "maxNumBatchedTokens", maxNumBatchedTokens, `at least maxModelLen (${maxModelLen}) without chunked prefill`, "Raise it, lower maxModelLen, or turn enableChunkedPrefill on.")
  if (config.pooler?.bidirectional === true) {
    require(maxNumBatchedTokens >=
      maxModelLen, "maxNumBatchedTokens", maxNumBatchedTokens, `at least maxModelLen (${maxModelLen}): this model's tokens see each other, so no text is split`, "Raise it, or lower maxModelLen.")
    return
  }
  require(config.blockSize ===
    pool.config
      .blockSize, "blockSize", config.blockSize, `the pool's ${pool.config.blockSize}`, "Give the scheduler and its pool the same one.")
  // The last token of a sequence is never computed, so it needs no place in the cache.
  const blocks = Math.ceil((maxModelLen - 1) / config.blockSize)
  require(pool.config.blocks >= blocks, "blocks", pool.config
    .blocks, `at least ${blocks}, for one sequence of maxModelLen (${maxModelLen})`, "Give the KV cache more memory or lower maxModelLen.")
}
