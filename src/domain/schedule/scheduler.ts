import type { StepInput, StepResult } from "../batch/step.ts"
import type { FinishReason, Sequence } from "../request/sequence.ts"

export interface SchedulerConfig {
  /** Token budget of a step. */
  readonly maxNumBatchedTokens: number
  readonly maxNumSeqs: number
  readonly maxModelLen: number
  readonly blockSize: number
  readonly longPrefillTokenThreshold: number
  readonly enableChunkedPrefill: boolean
  readonly policy: "fcfs" | "priority"
  /** Present: the plan has a pooler head, and every sequence a `pool` target. */
  readonly pooler?: PoolerConfig
}

export interface PoolerConfig {
  /** Every token sees every other: no sequence is split, and none takes blocks. */
  readonly bidirectional: boolean
  /** Whether the plan embeds token types. */
  readonly tokenTypes: boolean
}

/** The tokens that one step gives each sequence, and the arrays made of it. */
export interface StepPlan {
  readonly step: number
  readonly parts: ReadonlyArray<{
    readonly sequence: Sequence
    /** Position of the part's first token. */
    readonly start: number
    readonly tokens: number
    /** Output rows [rowStart, rowStart + rows) of the step; the last draw a token when `draws`: its own and its forks'. */
    readonly rowStart: number
    readonly rows: number
    readonly draws: boolean
  }>
  readonly totalTokens: number
}

/** What became of one sequence when a step came back. */
export interface SequenceEvent {
  readonly sequence: Sequence
  /** Token drawn, with its row of the result; undefined while the prompt is being computed. */
  readonly token: number | undefined
  readonly row: number
  /** Rows of the result that hold prompt logprobs: row r is the logprob of prompt token `promptStart + (r - promptRow)`. */
  readonly promptRow: number
  readonly promptRows: number
  readonly promptStart: number
  readonly finishReason: FinishReason | undefined
  readonly stopReason: number | undefined
  /** The token has ended the sequence and is no part of its text, as an end-of-sequence token is not. */
  readonly silent: boolean
  /** The logits were not finite: the sequence is finished and its blocks are given back. */
  readonly fault: boolean
  /** Of a sequence with a `pool` target: the rows that this step brought. It is done when `finishReason` is set. */
  readonly pooled?: PooledRows
}

/** Rows of `StepResult.pool` that belong to one sequence. A row that comes again, after a preemption, has the same bits. */
export interface PooledRows {
  /** Of `pooled`; -1: not in this step. */
  readonly row: number
  /** Rows [eachRow, eachRow + eachRows) of `each` are those of the target's positions from index `eachIndex` on. */
  readonly eachRow: number
  readonly eachRows: number
  readonly eachIndex: number
}

export interface SchedulerCounts {
  readonly running: number
  readonly waiting: number
  readonly parked: number
  readonly kvBlocksTotal: number
  readonly kvBlocksFree: number
  readonly prefixCacheHits: number
  readonly prefixCacheQueries: number
  readonly preemptions: number
}

/**
 * Continuous batching over a block pool. Plain data and synchronous calls, from the engine's fiber only.
 * Two steps may be outstanding: schedule() may be called again before advance() was called for the step before.
 * Blocks that a submitted step names are quarantined until that step's advance().
 */
export interface Scheduler {
  /**
   * `forks` have the same prompt and later ids. It is computed once: where it ends, each draws its own first token, and
   * goes on by itself over the blocks that they share.
   */
  add(sequence: Sequence, forks?: ReadonlyArray<Sequence>): void
  /**
   * Adds a sequence that goes on from where `parent` stands, over the same blocks: the same tokens, and the same draw
   * pending. Of a parent that `chooses`, when its draw has come back. Fellows that wait for one another have one priority,
   * and no other sequence's id lies between theirs: who is served between them could keep them from each other for ever.
   */
  fork(parent: Sequence, child: Sequence): void
  /** Gives a sequence that `chooses` the token in whose place its draw was pending. */
  settle(sequence: Sequence, token: number): void
  /** Ends a sequence now: no later step names it; its blocks return when the submitted steps that name it have retired. */
  finish(sequence: Sequence): void
  park(sequence: Sequence): void
  resume(sequence: Sequence): void
  /** Undefined when nothing can run. */
  schedule(): { readonly plan: StepPlan; readonly input: StepInput } | undefined
  /** Takes a retired step's answers, in the order of schedule(). Sequences that were finished meanwhile get no event. */
  advance(plan: StepPlan, result: StepResult): ReadonlyArray<SequenceEvent>
  readonly counts: () => SchedulerCounts
  /** Throws when blocks are not conserved: free + used = total, reference counts = owners. */
  check(): void
}
