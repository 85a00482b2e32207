import type { OutputRows, StepInput } from "../../src/domain/batch/step.ts"

export const blockSize = 16

/** New tokens of one sequence from position `computed` on, and its blocks, more than it needs if one likes. */
export interface BatchSequence {
  readonly tokens: ReadonlyArray<number>
  readonly computed: number
  readonly blocks: ReadonlyArray<number>
  /** Every row but the last is asked for the logprob of the token that follows it. The last row always draws. */
  readonly targets?: boolean
}

/** Greedy rows with the five best logprobs of each. */
const outputRows = (index: ReadonlyArray<number>, target: ReadonlyArray<number>): OutputRows => {
  const count = index.length
  return {
    index: Int32Array.from(index),
    target: Int32Array.from(target),
    logprobs: new Int32Array(count).fill(5),
    temperature: new Float32Array(count),
    topK: new Int32Array(count),
    topP: new Float32Array(count).fill(1),
    minP: new Float32Array(count),
    seed: new Uint32Array(2 * count),
    outputIndex: new Uint32Array(count)
  }
}

const starts = (counts: ReadonlyArray<number>): Int32Array => {
  let total = 0
  return Int32Array.from([0, ...counts.map((count) => (total += count))])
}

/** A step of several sequences, packed by hand: what a backend is given, without a scheduler. */
export const batchOf = (
  step: number,
  sequences: ReadonlyArray<BatchSequence>,
  copies: ReadonlyArray<number> = []
): StepInput => {
  const rows = sequences.flatMap(({ tokens, computed, blocks }) =>
    tokens.map((token, i) => {
      const position = computed + i
      return { token, position, slot: blocks[Math.floor(position / blockSize)]! * blockSize + (position % blockSize) }
    })
  )
  const known = sequences.map(({ tokens, computed }) => computed + tokens.length)
  const tables = sequences.map(({ blocks }, s) => blocks.slice(0, Math.ceil(known[s]! / blockSize)))
  const sequenceStarts = starts(sequences.map(({ tokens }) => tokens.length))
  const wanted = sequences.flatMap(({ tokens, targets }, s) =>
    tokens.flatMap((_, i) => {
      const last = i === tokens.length - 1
      return last || targets ? [{ index: sequenceStarts[s]! + i, target: last ? -1 : tokens[i + 1]! }] : []
    })
  )
  return {
    step,
    tokens: Int32Array.from(rows, ({ token }) => token),
    positions: Int32Array.from(rows, ({ position }) => position),
    sequenceStarts,
    contextLengths: Int32Array.from(known),
    cacheGroups: [
      {
        slots: Int32Array.from(rows, ({ slot }) => slot),
        blockTables: Int32Array.from(tables.flat()),
        blockTableStarts: starts(tables.map((table) => table.length))
      }
    ],
    copies: Int32Array.from(copies),
    rows: outputRows(
      wanted.map(({ index }) => index),
      wanted.map(({ target }) => target)
    )
  }
}
