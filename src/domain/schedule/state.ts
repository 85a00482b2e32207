import type { BlockPool } from "../kv/blockPool.ts"
import type { BlockTable } from "../kv/blockTable.ts"
import type { Sequence } from "../request/sequence.ts"
import type { PooledRows, SchedulerConfig, StepPlan } from "./scheduler.ts"

/** A sequence with what only the scheduler knows of it. */
export interface Entry {
  readonly sequence: Sequence
  /** First key of the order in which sequences are served; their id is the second. */
  readonly rank: number
  /** Tokens, prompt and output, at which the sequence ends by length. */
  readonly limit: number
  /** Words of the seed, so that packing needs no BigInt. */
  readonly seedLow: number
  readonly seedHigh: number
  /** Set at the first admission: the one whose cache hits count. */
  admitted: boolean
  /** Counts preemptions: a part of an earlier epoch names blocks that the sequence has lost. */
  epoch: number
  /** Last step that names the sequence's present blocks; -1 for none. */
  lastStep: number
  /** Step and output row that will bring the last pending token. */
  drawStep: number
  drawRow: number
  /** Prompt positions below this have had their logprob row in some step. */
  promptRowsDone: number
  /** The entry whose prompt is this one's too and is being computed; undefined where this one computes its own. */
  leader: Entry | undefined
  /** Those that wait for the end of this one's prompt. */
  readonly forks: Array<Entry>
  /** Where the running sum of a mean is kept between steps; -1: nowhere. */
  carry: number
}

/** One sequence's share of a step. */
export interface Part {
  readonly entry: Entry
  readonly sequence: Sequence
  readonly epoch: number
  readonly start: number
  readonly tokens: number
  readonly rowStart: number
  readonly rows: number
  readonly draws: boolean
  /** Those whose first token is drawn behind the same prompt: by the last rows, the sequence's own before theirs. */
  readonly forks: ReadonlyArray<Entry>
  /** Output row of the step before that brings the part's last token; -1: all its tokens are known. */
  readonly link: number
  /** Of a sequence with a `pool` target. */
  readonly pooled: PooledRows | undefined
  readonly carry: number
}

export interface SubmittedStep extends StepPlan {
  readonly parts: ReadonlyArray<Part>
  readonly totalRows: number
  /** Pairs (from, to) of blocks. */
  readonly copies: ReadonlyArray<number>
  readonly totalPooled: number
  readonly totalEach: number
}

/** Blocks that nobody owns any more, but that a submitted step still names. */
export interface Quarantined {
  readonly table: BlockTable
  /** Free when this step has retired. */
  readonly until: number
}

export interface SchedulerState {
  readonly config: SchedulerConfig
  readonly pool: BlockPool
  /** Every sequence that has not finished. */
  readonly entries: Map<number, Entry>
  /** These three hold each entry once, in serving order. */
  readonly running: Array<Entry>
  readonly waiting: Array<Entry>
  readonly parked: Array<Entry>
  readonly submitted: Array<SubmittedStep>
  quarantine: Array<Quarantined>
  /** Places for running sums that nobody uses. */
  readonly carries: Array<number>
  /** Number of the next step. */
  nextStep: number
  prefixCacheHits: number
  prefixCacheQueries: number
  preemptions: number
}

export const makeState = (config: SchedulerConfig, pool: BlockPool): SchedulerState => ({
  config,
  pool,
  entries: new Map(),
  running: [],
  waiting: [],
  parked: [],
  submitted: [],
  quarantine: [],
  carries: Array.from({ length: config.pooler === undefined ? 0 : config.maxNumSeqs }, (_, place) => place),
  nextStep: 0,
  prefixCacheHits: 0,
  prefixCacheQueries: 0,
  preemptions: 0
})

export const makeEntry = (sequence: Sequence, config: SchedulerConfig): Entry => ({
  sequence,
  rank: config.policy === "priority" ? sequence.priority : 0,
  limit:
    sequence.pool !== undefined
      ? Number.POSITIVE_INFINITY
      : Math.min(config.maxModelLen, sequence.promptLength + sequence.limits.maxTokens),
  seedLow: Number(BigInt.asUintN(32, sequence.draw.seed)),
  seedHigh: Number(BigInt.asUintN(32, sequence.draw.seed >> 32n)),
  admitted: false,
  epoch: 0,
  lastStep: -1,
  drawStep: -1,
  drawRow: -1,
  promptRowsDone: 0,
  leader: undefined,
  forks: [],
  carry: -1
})
