import type { PoolerConfig } from "../schedule/scheduler.ts"
import type { PackedStep } from "./packedStep.ts"
import type { PoolInput } from "./step.ts"

/** The rows that the pooler's heads take, in the order of a step's parts. */
export const packPool = (step: PackedStep, { tokenTypes }: PoolerConfig): PoolInput => {
  const types = new Int32Array(tokenTypes ? step.totalTokens : 0)
  const carries = Int32Array.from(step.parts, ({ carry }) => carry)
  const pooled = new Int32Array(step.totalPooled)
  const each = new Int32Array(step.totalEach)
  let tokenRow = 0
  for (const { sequence, start, tokens, pooled: rows } of step.parts) {
    const { pool } = sequence
    if (pool !== undefined && rows !== undefined) {
      const ownTypes = tokenTypes ? pool.tokenTypes : undefined
      if (ownTypes !== undefined) for (let i = 0; i < tokens; i++) types[tokenRow + i] = ownTypes[start + i]!
      if (rows.row >= 0) pooled[rows.row] = tokenRow + pool.pooled - start
      for (let i = 0; i < rows.eachRows; i++) each[rows.eachRow + i] = tokenRow + pool.each[rows.eachIndex + i]! - start
    }
    tokenRow += tokens
  }
  return { tokenTypes: types, carries, pooled, each }
}
