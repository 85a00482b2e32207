import type { StepResult } from "../batch/step.ts"
import type { Sequence } from "../request/sequence.ts"
import type { PooledRows } from "./scheduler.ts"
import type { Entry, SchedulerState } from "./state.ts"

/** Index of the first position in an ascending list that is `position` or behind it. */
const firstFrom = (positions: ArrayLike<number>, position: number): number => {
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (positions[middle]! < position) low = middle + 1
    else high = middle
  }
  return low
}

/** The rows that the tokens [start, end) bring a sequence, placed behind those of the parts before it. */
export const pooledRows = (
  { pool }: Sequence,
  start: number,
  end: number,
  pooledAt: number,
  eachAt: number
): PooledRows | undefined => {
  if (pool === undefined) return undefined
  const eachIndex = firstFrom(pool.each, start)
  const eachRows = firstFrom(pool.each, end) - eachIndex
  return { row: pool.pooled >= start && pool.pooled < end ? pooledAt : -1, eachRow: eachAt, eachRows, eachIndex }
}

/** The place of an entry's running sum: one is taken when its tokens up to `end` are not yet all. */
export const keepSum = (state: SchedulerState, entry: Entry, end: number): number => {
  const { pool, promptLength } = entry.sequence
  if (pool?.mean === true && entry.carry < 0 && end < promptLength) entry.carry = state.carries.pop() ?? -1
  return entry.carry
}

/** Whoever has the place next begins at position 0, which clears it: steps run in order. */
export const dropSum = (state: SchedulerState, entry: Entry) => {
  if (entry.carry >= 0) state.carries.push(entry.carry)
  entry.carry = -1
}

/** Whether a pooler's answer has a row of these that is not finite. */
export const faultyRows = ({ row, eachRow, eachRows }: PooledRows, totalPooled: number, { pool }: StepResult) => {
  if (pool === undefined) return false
  if (row >= 0 && pool.faults[row] !== 0) return true
  for (let r = eachRow; r < eachRow + eachRows; r++) if (pool.faults[totalPooled + r] !== 0) return true
  return false
}
