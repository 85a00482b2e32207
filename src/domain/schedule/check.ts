import { checkForks } from "./fork.ts"
import { compare } from "./policy.ts"
import type { Entry, SchedulerState } from "./state.ts"

const checkList = (name: Entry["sequence"]["status"], list: ReadonlyArray<Entry>) => {
  list.forEach((entry, i) => {
    const { sequence } = entry
    if (sequence.status !== name) throw new Error(`Sequence ${sequence.id} is ${sequence.status}, listed as ${name}.`)
    if (i > 0 && compare(list[i - 1]!, entry) >= 0) throw new Error(`The ${name} sequences are out of order.`)
  })
}

/** Throws unless every sequence is in one list, holds blocks for what it has computed, and the pool's blocks are conserved. */
export const checkState = (state: SchedulerState) => {
  const { entries, running, waiting, parked, pool, config } = state
  checkList("running", running)
  checkList("waiting", waiting)
  checkList("parked", parked)
  const listed = running.length + waiting.length + parked.length
  if (listed !== entries.size) throw new Error(`${listed} sequences are listed; ${entries.size} are known.`)
  if (running.length > config.maxNumSeqs) throw new Error(`${running.length} sequences run, over ${config.maxNumSeqs}.`)
  for (const { sequence } of entries.values()) {
    const { id, computed, pending, tokens, blocks } = sequence
    if (pending < 0 || computed > tokens.length + pending)
      throw new Error(`Sequence ${id}: ${computed} computed, ${tokens.length} known, ${pending} pending.`)
    if (config.pooler?.bidirectional !== true && computed > blocks.blocks.length * config.blockSize)
      throw new Error(`Sequence ${id} has computed ${computed} tokens in ${blocks.blocks.length} blocks.`)
  }
  checkForks(state)
  const tables = [...entries.values()].map(({ sequence }) => sequence.blocks)
  pool.check([...tables, ...state.quarantine.map(({ table }) => table)])
}
