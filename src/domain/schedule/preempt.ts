import { detach } from "../kv/blockTable.ts"
import { compare, insert, remove } from "./policy.ts"
import { dropSum } from "./pooled.ts"
import type { Entry, SchedulerState } from "./state.ts"

const lastRetired = (state: SchedulerState) =>
  state.submitted.length === 0 ? state.nextStep - 1 : state.submitted[0]!.step - 1

/** Takes an entry's blocks from it: free at once, or when the last submitted step that names them has retired. */
export const giveBack = (state: SchedulerState, entry: Entry) => {
  const { blocks } = entry.sequence
  if (blocks.blocks.length === 0) return
  if (entry.lastStep > lastRetired(state)) state.quarantine.push({ table: detach(blocks), until: entry.lastStep })
  else state.pool.release(blocks)
}

/** Lets the blocks go that waited for `step`. */
export const endQuarantine = (state: SchedulerState, step: number) => {
  if (state.quarantine.length === 0) return
  for (const { table, until } of state.quarantine) if (until <= step) state.pool.release(table)
  state.quarantine = state.quarantine.filter(({ until }) => until > step)
}

/** Preemption by recompute: the entry loses its blocks and will compute its tokens, the drawn ones too, once more. */
export const preempt = (state: SchedulerState, entry: Entry) => {
  giveBack(state, entry)
  dropSum(state, entry)
  state.preemptions++
  entry.epoch++
  entry.lastStep = -1
  entry.sequence.computed = 0
  if (entry.sequence.status !== "running") return
  entry.sequence.status = "waiting"
  remove(state.running, entry)
  insert(state.waiting, entry)
}

/** The last of a list that holds blocks. */
const lastHolder = (list: ReadonlyArray<Entry>) => {
  for (let i = list.length - 1; i >= 0; i--) if (list[i]!.sequence.blocks.blocks.length > 0) return list[i]
  return undefined
}

/**
 * One of the same request whose draw has come back and is not settled: it needs its blocks no sooner than all its fellows
 * have drawn too, and these may need them first.
 */
const answeredFellow = (state: SchedulerState, { sequence }: Entry) => {
  if (!sequence.chooses) return undefined
  const retired = lastRetired(state)
  const canWait = ({ sequence: fellow, drawStep }: Entry) =>
    fellow.requestId === sequence.requestId &&
    fellow !== sequence &&
    fellow.pending > 0 &&
    drawStep <= retired &&
    fellow.blocks.blocks.length > 0
  return state.waiting.find(canWait)
}

/**
 * Who gives way to `entry`: a parked one first; then the last in serving order that holds blocks and comes after it;
 * then a fellow of its own request that can wait. One that waits takes no running one's place.
 */
const victimFor = (state: SchedulerState, entry: Entry): Entry | undefined => {
  const parked = lastHolder(state.parked)
  if (parked) return parked
  let last = lastHolder(state.waiting)
  if (entry.sequence.status === "running") {
    const running = lastHolder(state.running)
    if (running && (!last || compare(running, last) > 0)) last = running
  }
  return last && compare(last, entry) > 0 ? last : answeredFellow(state, entry)
}

/**
 * Blocks for `end` tokens of an entry, others preempted where it must be. "later": blocks enough are on their way, or
 * must first be given back by those who are served before it. A running entry that none gives way to gives way itself.
 */
export const makeRoom = (state: SchedulerState, entry: Entry, end: number): "now" | "later" => {
  const { pool } = state
  const { blocks: table, computed } = entry.sequence
  const { blockSize } = pool.config
  /** A shared block that is written to needs a copy; who gives way may leave it to us alone. */
  const needed = () =>
    Math.max(0, Math.ceil(end / blockSize) - table.blocks.length) +
    (pool.shared(table, Math.floor(computed / blockSize)) ? 1 : 0)
  for (let need = needed(); need > pool.free; need = needed()) {
    let coming = pool.free
    for (const quarantined of state.quarantine) coming += quarantined.table.blocks.length
    if (coming >= need) return "later"
    const victim = victimFor(state, entry)
    if (victim) preempt(state, victim)
    else {
      if (entry.sequence.status === "running") preempt(state, entry)
      return "later"
    }
  }
  pool.extend(table, end)
  return "now"
}
