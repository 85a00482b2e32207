/**
 * One engine step, as typed arrays: what pack() makes and a backend reads. T tokens of S sequences, R output rows.
 * A step's arrays are never changed after it is submitted.
 */
export interface StepInput {
  /** Counts steps of one engine, from 0. */
  readonly step: number
  /** [T] token ids; -1 - r stands for the token drawn at output row r of the step before this one. */
  readonly tokens: Int32Array
  /** [T] */
  readonly positions: Int32Array
  /** [S + 1] sequence s owns token rows [starts[s], starts[s + 1]). */
  readonly sequenceStarts: Int32Array
  /** [S] tokens in the cache once this step has run: those computed before, and this step's. */
  readonly contextLengths: Int32Array
  readonly cacheGroups: ReadonlyArray<StepCacheGroup>
  /** Pairs (from, to) of blocks, copied in this order before the plan runs, in every group and layer. */
  readonly copies: Int32Array
  readonly rows: OutputRows
  /** What a plan with a pooler head is asked for; absent where the head gives logits. */
  readonly pool?: PoolInput
}

/** Rows of a pooler's two heads. A step of such a plan draws nothing: its `rows` are empty. */
export interface PoolInput {
  /** [T] token types; empty: all 0. */
  readonly tokenTypes: Int32Array
  /** [S] where a sequence's running sum is kept from step to step; -1: it begins and ends here. Empty: all -1. */
  readonly carries: Int32Array
  /** [P] rows of the token batch for the pooled head. */
  readonly pooled: Int32Array
  /** [Q] rows of the token batch for the head over single tokens. */
  readonly each: Int32Array
}

/** Raw rows of a pooler's heads, before activation, cut and normalisation. */
export interface PoolResult {
  /** [P][plan.pooler.pooled.columns] */
  readonly pooled: Float32Array
  /** [Q][plan.pooler.each.columns] */
  readonly each: Float32Array
  /** [P + Q] 1 where a row is not finite: pooled rows first. */
  readonly faults: Uint8Array
}

export interface StepCacheGroup {
  /** [T] where each token's K and V go: block * blockSize + offset. */
  readonly slots: Int32Array
  /** The sequences' block ids, one sequence after another. */
  readonly blockTables: Int32Array
  /** [S + 1] into `blockTables`. */
  readonly blockTableStarts: Int32Array
}

/** The rows whose logits are wanted, in the order of their tokens. All arrays have length R. */
export interface OutputRows {
  /** Row of the token batch. */
  readonly index: Int32Array
  /** -1: draw a token. Otherwise the token whose logprob and rank are asked for (prompt logprobs). */
  readonly target: Int32Array
  /** How many best logprobs to return beside the row's own; -1: no logprobs at all. */
  readonly logprobs: Int32Array
  /** 0: greedy. */
  readonly temperature: Float32Array
  /** 0: off. */
  readonly topK: Int32Array
  /** 1: off. */
  readonly topP: Float32Array
  /** 0: off. */
  readonly minP: Float32Array
  /** [2R] low and high word of the seed. */
  readonly seed: Uint32Array
  /** Index of the token that is drawn among the request's output tokens: the generator's counter. */
  readonly outputIndex: Uint32Array
  /** What changes logits before the draw; absent where no row asks for it, and then it costs nothing. */
  readonly edits?: RowEdits
}

/**
 * What rows ask to be done to their logits, in this order: `mask`; then (from here on logprobs no longer see it) `allowed`,
 * bad words, `bias`, penalties. Only rows that draw are edited. Nothing is kept from step to step: a row brings what it
 * looks back at, but for its own input token, which the device may have drawn a moment ago and adds itself: it is the
 * newest output token where `outputIndex` > 0.
 */
export interface RowEdits {
  /** [R] row of `masks` that a grammar leaves open; -1: none. */
  readonly mask: Int32Array
  /** [R] row of `masks` that the request allows; -1: none. */
  readonly allowed: Int32Array
  /** [M * ceil(vocabulary / 32)] bit t % 32 of word t / 32 is set when token t is allowed. */
  readonly masks: Uint32Array
  /** [R + 1] into the two arrays that follow. */
  readonly biasStarts: Int32Array
  readonly biasIds: Int32Array
  /** Added to the logit; -Infinity forbids the token. */
  readonly biasValues: Float32Array
  /** [R + 1] into `badWords`. */
  readonly badWordStarts: Int32Array
  /** For each word its length n, then n ids: the last is forbidden where the output ends with the ones before it. */
  readonly badWords: Int32Array
  /** [R] 1: off. */
  readonly repetition: Float32Array
  /** [R] 0: off. */
  readonly presence: Float32Array
  /** [R] 0: off. */
  readonly frequency: Float32Array
  /** [R + 1] into `history`. */
  readonly historyStarts: Int32Array
  /** A row's prompt tokens, then its output tokens without the newest. Either may be left out where nothing looks at it. */
  readonly history: Int32Array
  /** [R] how many tokens of a row's history are the prompt's. */
  readonly promptCounts: Int32Array
}

/** What a step answers; row r of `OutputRows` is row r here. */
export interface StepResult {
  /** [R] the token drawn, or the row's target. */
  readonly tokens: Int32Array
  /** [R] log-probability of that token under the raw logits (after the grammar's mask, before everything else); 0 where not asked for. */
  readonly logprobs: Float32Array
  /** [R] how many tokens are at least as probable as it: 1 is the best; 0 where not asked for. */
  readonly ranks: Int32Array
  /** [R] 1 where the row's logits are not finite, or no token may be drawn: nothing else of that row means anything. */
  readonly faults: Uint8Array
  /** `top` columns a row: the greatest `logprobs` of the step. Entries past a row's own count, or masked by its grammar, are -1. */
  readonly top: number
  readonly topTokens: Int32Array
  readonly topLogprobs: Float32Array
  /** Of a plan with a pooler head. */
  readonly pool?: PoolResult
  /** Milliseconds that the device worked. */
  readonly elapsed: number
}
