import { pack } from "../batch/pack.ts"
import { PromptTooLong } from "../errors.ts"
import type { BlockPool } from "../kv/blockPool.ts"
import type { Sequence } from "../request/sequence.ts"
import { advanceStep, end } from "./advance.ts"
import { checkState } from "./check.ts"
import { checkConfig } from "./config.ts"
import { branchOff, follow } from "./fork.ts"
import { insert, remove } from "./policy.ts"
import { chooseStep } from "./schedule.ts"
import type { Scheduler, SchedulerConfig, SchedulerCounts } from "./scheduler.ts"
import { type Entry, makeEntry, makeState, type SchedulerState } from "./state.ts"

const enter = (state: SchedulerState, sequence: Sequence) => {
  if (state.entries.has(sequence.id)) throw new Error(`Sequence id ${sequence.id} is in use.`)
  if (sequence.promptLength < 1) throw new Error(`Sequence ${sequence.id} has no prompt token.`)
  const { maxModelLen } = state.config
  // A sequence that draws nothing may fill the whole length.
  if (sequence.tokens.length >= (sequence.pool === undefined ? maxModelLen : maxModelLen + 1))
    throw new PromptTooLong({ promptTokens: sequence.tokens.length, maxModelLen })
  const entry = makeEntry(sequence, state.config)
  if (sequence.tokens.length >= entry.limit) throw new Error(`Sequence ${sequence.id} may draw no token.`)
  return entry
}

const add = (state: SchedulerState, sequence: Sequence, forks: ReadonlyArray<Sequence> = []) => {
  const [leader, ...followers] = [sequence, ...forks].map((each) => enter(state, each))
  follow(leader!, followers)
  for (const entry of [leader!, ...followers]) {
    entry.sequence.status = "waiting"
    state.entries.set(entry.sequence.id, entry)
    insert(state.waiting, entry)
  }
}

const known = (state: SchedulerState, sequence: Sequence): Entry => {
  const entry = state.entries.get(sequence.id)
  if (entry === undefined) throw new Error(`Sequence ${sequence.id} has ended.`)
  return entry
}

const settle = (state: SchedulerState, sequence: Sequence, token: number) => {
  known(state, sequence)
  if (!sequence.chooses || sequence.pending !== 1) throw new Error(`Sequence ${sequence.id} has no draw to settle.`)
  sequence.pending = 0
  sequence.tokens.push(token)
}

const finish = (state: SchedulerState, sequence: Sequence) => {
  const entry = state.entries.get(sequence.id)
  if (entry) end(state, entry)
}

const park = (state: SchedulerState, sequence: Sequence) => {
  const entry = state.entries.get(sequence.id)
  if (!entry || sequence.status === "parked") return
  remove(sequence.status === "running" ? state.running : state.waiting, entry)
  sequence.status = "parked"
  insert(state.parked, entry)
}

/** A parked sequence comes back through the waiting list, with the blocks it has kept. */
const resume = (state: SchedulerState, sequence: Sequence) => {
  const entry = state.entries.get(sequence.id)
  if (!entry || sequence.status !== "parked") return
  remove(state.parked, entry)
  sequence.status = "waiting"
  insert(state.waiting, entry)
}

const counts = (state: SchedulerState): SchedulerCounts => ({
  running: state.running.length,
  waiting: state.waiting.length,
  parked: state.parked.length,
  kvBlocksTotal: state.pool.config.blocks,
  kvBlocksFree: state.pool.free,
  prefixCacheHits: state.prefixCacheHits,
  prefixCacheQueries: state.prefixCacheQueries,
  preemptions: state.preemptions
})

/** A scheduler over a pool that it alone uses. Throws InvalidOptions when some request could never be served. */
export const makeScheduler = (config: SchedulerConfig, pool: BlockPool): Scheduler => {
  checkConfig(config, pool)
  const state = makeState(config, pool)
  return {
    add: (sequence, forks) => add(state, sequence, forks),
    fork: (parent, child) => branchOff(state, known(state, parent), enter(state, child)),
    settle: (sequence, token) => settle(state, sequence, token),
    finish: (sequence) => finish(state, sequence),
    park: (sequence) => park(state, sequence),
    resume: (sequence) => resume(state, sequence),
    schedule: () => {
      const plan = chooseStep(state)
      return plan && { plan, input: pack(plan, config.blockSize, config.pooler) }
    },
    advance: (plan, result) => advanceStep(state, plan, result),
    counts: () => counts(state),
    check: () => checkState(state)
  }
}
