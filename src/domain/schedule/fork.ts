import { compare, insert } from "./policy.ts"
import type { Entry, SchedulerState } from "./state.ts"

/** Lets `child` go on from where `parent` stands: the same blocks, the same tokens computed, the same draw pending. */
const branch = (state: SchedulerState, parent: Entry, child: Entry) => {
  const { sequence: from } = parent
  const { sequence: to } = child
  state.pool.fork(from.blocks, to.blocks)
  to.computed = from.computed
  to.pending = from.pending
  to.cached = from.cached
  child.admitted = true
  child.lastStep = parent.lastStep
  child.drawStep = parent.drawStep
  child.drawRow = parent.drawRow
  child.promptRowsDone = parent.promptRowsDone
}

/** Makes `forks` wait for the end of the leader's prompt, which is theirs too, to be computed once. */
export const follow = (leader: Entry, forks: ReadonlyArray<Entry>) => {
  for (const fork of forks) {
    fork.leader = leader
    leader.forks.push(fork)
  }
}

/**
 * The step that is being made draws the first token behind the leader's prompt: a row for each of its forks, too, the
 * rows behind the leader's own. From the next step on they are sequences like any other. Gives them in row order.
 */
export const branchAtPromptEnd = (state: SchedulerState, leader: Entry): ReadonlyArray<Entry> => {
  const forks = leader.forks.splice(0)
  forks.forEach((fork, i) => {
    branch(state, leader, fork)
    fork.leader = undefined
    fork.drawRow = leader.drawRow + 1 + i
  })
  return forks
}

/** An entry ends: it waits for no leader any more, and the first of those that waited for it leads the others. */
export const unfollow = (entry: Entry) => {
  const { leader } = entry
  if (leader !== undefined) {
    leader.forks.splice(leader.forks.indexOf(entry), 1)
    entry.leader = undefined
  }
  const [heir, ...rest] = entry.forks.splice(0)
  if (heir === undefined) return
  heir.leader = undefined
  follow(heir, rest)
}

/** A new entry that goes on from where `parent` stands, parked where it is parked. */
export const branchOff = (state: SchedulerState, parent: Entry, child: Entry) => {
  branch(state, parent, child)
  const parked = parent.sequence.status === "parked"
  child.sequence.status = parked ? "parked" : "waiting"
  state.entries.set(child.sequence.id, child)
  insert(parked ? state.parked : state.waiting, child)
}

/** Who leads whom, as `compare` and the entries' lists have it. Throws where they disagree. */
export const checkForks = (state: SchedulerState) => {
  for (const entry of state.entries.values()) {
    const { leader, forks, sequence } = entry
    if (leader !== undefined && (!leader.forks.includes(entry) || sequence.blocks.blocks.length > 0))
      throw new Error(`Sequence ${sequence.id} waits for a leader that does not know it, or holds blocks.`)
    if (forks.some((fork) => fork.leader !== entry || compare(fork, entry) < 0))
      throw new Error(`A fork of sequence ${sequence.id} has another leader, or is served before it.`)
  }
}
