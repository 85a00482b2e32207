import type { PoolResult, StepInput, StepResult } from "../../domain/batch/step.ts"
import type { Plan, PlanPooler } from "../../domain/plan/plan.ts"
import { argmax } from "../../domain/sampling/draw.ts"
import { editRow, maskRow } from "../../domain/sampling/edit.ts"
import type { Capacity } from "../../services/Backend.ts"

/** The token that follows a prompt and `outputIndex` output tokens. NaN: the row's logits are not finite. */
export type Script = (promptTokenIds: ReadonlyArray<number>, outputIndex: number) => number

const hash = (position: number, token: number): number => {
  let h = Math.imul(position + 1, 0x9e3779b1) ^ Math.imul(token + 1, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

/** A row of numbers in [-1, 1) that tell of the row's token and position alone. */
const nullRow = (input: StepInput, row: number, out: Float32Array) => {
  for (let i = 0; i < out.length; i++) out[i] = hash(input.positions[row]! + i, input.tokens[row]!) / 2 ** 31 - 1
}

const nullPool = ({ pooled, each }: PlanPooler, input: StepInput): PoolResult => {
  const wanted = input.pool!
  const rows = (index: Int32Array, columns = 0) => {
    const answer = new Float32Array(index.length * columns)
    index.forEach((row, r) => {
      nullRow(input, row, answer.subarray(r * columns, (r + 1) * columns))
    })
    return answer
  }
  return {
    pooled: rows(wanted.pooled, pooled?.columns),
    each: rows(wanted.each, each?.columns),
    faults: new Uint8Array(wanted.pooled.length + wanted.each.length)
  }
}

const copyBlocks = (cache: Int32Array, copies: Int32Array, blockSize: number) => {
  for (let i = 0; i < copies.length; i += 2)
    cache.copyWithin(copies[i + 1]! * blockSize, copies[i]! * blockSize, (copies[i]! + 1) * blockSize)
}

const bestLogprob = Math.log(0.5)

/**
 * A model without weights: its "cache" keeps the token ids themselves, by slot. The token after (position, token) is a
 * hash of the two, or what the script says. That token has logprob ln 1/2, and each one less likely loses 1.
 */
export const makeNullModel = (
  { vocabSize, pooler }: Pick<Plan, "vocabSize" | "pooler">,
  capacity: Capacity,
  script: Script | undefined
) => {
  const { blocks, blockSize } = capacity
  const cache = script === undefined ? undefined : new Int32Array((blocks + 1) * blockSize)
  let drawn: Int32Array = new Int32Array(0)

  /** Tokens [0, length) of sequence s, read through its block table as attention would. */
  const read = (input: StepInput, s: number, length: number) => {
    const { blockTables, blockTableStarts } = input.cacheGroups[0]!
    const start = blockTableStarts[s]!
    const tokens: Array<number> = []
    for (let p = 0; p < length; p++)
      tokens.push(cache![blockTables[start + Math.floor(p / blockSize)]! * blockSize + (p % blockSize)]!)
    return tokens
  }

  const best = (input: StepInput, tokens: Int32Array, row: number, s: number): number => {
    const index = input.rows.index[row]!
    const position = input.positions[index]!
    if (script === undefined || input.rows.target[row]! >= 0) return hash(position, tokens[index]!) % vocabSize
    const outputIndex = input.rows.outputIndex[row]!
    return script(read(input, s, position + 1 - outputIndex), outputIndex)
  }

  /**
   * What a row draws that masks, biases or penalties bear on: its logits are those of the logprobs below, 0 for `token` and
   * one less for each id after it, and the greatest is taken. NaN: no token may be drawn.
   */
  const edited = (input: StepInput, tokens: Int32Array, row: number, token: number): number => {
    const { edits, index, outputIndex, target } = input.rows
    if (edits === undefined || target[row]! >= 0 || Number.isNaN(token)) return token
    const logits = new Float32Array(vocabSize)
    for (let i = 0; i < vocabSize; i++) logits[(token + i) % vocabSize] = -i
    maskRow(logits, edits, row)
    editRow(logits, edits, row, outputIndex[row]! > 0 ? tokens[index[row]!]! : -1)
    const best = argmax(logits)
    return logits[best] === Number.NEGATIVE_INFINITY ? Number.NaN : best
  }

  const writeRow = (input: StepInput, result: StepResult, row: number, token: number) => {
    const target = input.rows.target[row]!
    const wanted = input.rows.logprobs[row]!
    result.tokens[row] = target >= 0 ? target : token
    if (wanted < 0) return
    const rank = target >= 0 ? 1 + ((((target - token) % vocabSize) + vocabSize) % vocabSize) : 1
    result.ranks[row] = rank
    result.logprobs[row] = bestLogprob - (rank - 1)
    for (let i = 0; i < Math.min(wanted, vocabSize); i++) {
      result.topTokens[row * result.top + i] = (token + i) % vocabSize
      result.topLogprobs[row * result.top + i] = bestLogprob - i
    }
  }

  return (input: StepInput, elapsed: number): StepResult => {
    const { rows } = input
    const tokens = input.tokens.map((token) => (token < 0 ? drawn[-1 - token]! : token))
    const slots = input.cacheGroups[0]?.slots
    if (cache) copyBlocks(cache, input.copies, blockSize)
    if (cache && slots) for (let t = 0; t < tokens.length; t++) cache[slots[t]!] = tokens[t]!
    const R = rows.index.length
    let top = 0
    for (let row = 0; row < R; row++) top = Math.max(top, rows.logprobs[row]!)
    const result: StepResult = {
      tokens: new Int32Array(R),
      logprobs: new Float32Array(R),
      ranks: new Int32Array(R),
      faults: new Uint8Array(R),
      top,
      topTokens: new Int32Array(R * top).fill(-1),
      topLogprobs: new Float32Array(R * top).fill(-1),
      elapsed
    }
    for (let row = 0, s = 0; row < R; row++) {
      while (rows.index[row]! >= input.sequenceStarts[s + 1]!) s++
      const token = edited(input, tokens, row, best(input, tokens, row, s))
      if (Number.isNaN(token)) result.faults[row] = 1
      else writeRow(input, result, row, token)
    }
    drawn = result.tokens
    return pooler === undefined ? result : { ...result, pool: nullPool(pooler, input) }
  }
}
