import { describe, expect, it } from "vitest"
import { packEdits } from "../../../src/domain/batch/packEdits.ts"
import type { TokenConstraint } from "../../../src/domain/grammar/constraint.ts"
import type { LogitEdits } from "../../../src/domain/request/sequence.ts"
import { drive } from "../../support/driveScheduler.ts"
import { makeSequence } from "../../support/sequences.ts"

const idle: LogitEdits = {
  allowed: undefined,
  badWords: [],
  minTokens: 0,
  early: new Int32Array(0),
  biasIds: new Int32Array(0),
  biasValues: new Float32Array(0),
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0
}
const drawn = (row: number, edits: Partial<LogitEdits>, output: ReadonlyArray<number>, outputIndex = output.length) => {
  const sequence = makeSequence({ id: row, prompt: [10, 11, 12], draw: { edits: { ...idle, ...edits } } })
  sequence.tokens.push(...output)
  return { row, outputIndex, sequence }
}
const part = <T extends Int32Array | Float32Array>(values: T, starts: Int32Array, r: number) => [
  ...values.subarray(starts[r]!, starts[r + 1]!)
]

describe("packEdits", () => {
  it("brings prompt and output for repetition, the output alone for the other penalties, and never the newest token", () => {
    const rows = [
      drawn(0, { repetitionPenalty: 2 }, [20, 21, 22]),
      drawn(2, { presencePenalty: 1 }, [20, 21, 22]),
      drawn(3, { frequencyPenalty: 1 }, [], 0),
      // A token that JavaScript does not know yet is the row's newest.
      drawn(4, { frequencyPenalty: 1 }, [20, 21], 3)
    ]
    const edits = packEdits(rows, 5)
    const history = [0, 1, 2, 3, 4].map((r) => part(edits.history, edits.historyStarts, r))
    expect(history).toEqual([[10, 11, 12, 20, 21], [], [20, 21], [], [20, 21]])
    expect([...edits.promptCounts]).toEqual([3, 0, 0, 0, 0])
    expect([...edits.repetition]).toEqual([2, 1, 1, 1, 1])
    expect([...edits.presence]).toEqual([0, 0, 1, 0, 0])
  })

  it("brings for bad words no more of the output than the longest looks back at", () => {
    const edits = packEdits([drawn(0, { badWords: [[1], [2, 3, 4, 5]] }, [20, 21, 22, 23, 24])], 1)
    expect(part(edits.history, edits.historyStarts, 0)).toEqual([22, 23])
    expect([...edits.badWords]).toEqual([1, 1, 4, 2, 3, 4, 5])
    const single = packEdits([drawn(0, { badWords: [[1]] }, [20, 21, 22])], 1)
    expect(single.history.length).toBe(0)
  })

  it("forbids the ends of the reply before minTokens and not after, beside the biases", () => {
    const asked = {
      minTokens: 2,
      early: Int32Array.of(5, 6),
      biasIds: Int32Array.of(7),
      biasValues: Float32Array.of(3)
    }
    const edits = packEdits([drawn(0, asked, [20]), drawn(1, asked, [20, 21])], 2)
    expect(part(edits.biasIds, edits.biasStarts, 0)).toEqual([5, 6, 7])
    expect(part(edits.biasValues, edits.biasStarts, 0)).toEqual([-Infinity, -Infinity, 3])
    expect(part(edits.biasIds, edits.biasStarts, 1)).toEqual([7])
  })

  it("lays a mask that rows share down once, and asks a grammar for its own", () => {
    const allowed = Uint32Array.of(1, 2)
    const constraint: TokenConstraint = {
      words: 2,
      fillMask: (out, offset) => out.set([3, 4], offset),
      accept: () => {},
      fork: () => constraint,
      finished: false
    }
    const both = drawn(2, { allowed }, [20])
    const edits = packEdits(
      [drawn(0, { allowed }, []), { ...both, sequence: { ...both.sequence, constraint } }, drawn(3, { allowed }, [])],
      4
    )
    expect(edits.masks.length).toBe(4)
    expect(
      [...edits.allowed].map((mask) => (mask < 0 ? [] : [...edits.masks.subarray(2 * mask, 2 * mask + 2)]))
    ).toEqual([[1, 2], [], [1, 2], [1, 2]])
    expect([...edits.mask]).toEqual([-1, -1, edits.allowed[0] === 0 ? 1 : 0, -1])
    expect([...edits.masks.subarray(2 * edits.mask[2]!, 2 * edits.mask[2]! + 2)]).toEqual([3, 4])
  })
})

describe("a packed step", () => {
  it("has no edits where no row asks for any, and where the rows that ask only read their prompt", () => {
    const { scheduler, submit, retire } = drive({ maxNumBatchedTokens: 4, maxNumSeqs: 2 })
    scheduler.add(makeSequence({ id: 0, prompt: [1, 2, 3], limits: { maxTokens: 9 } }))
    expect(submit()?.input.rows.edits).toBeUndefined()
    retire()
    scheduler.add(makeSequence({ id: 1, prompt: [4, 5, 6, 7], draw: { edits: { ...idle, presencePenalty: 1 } } }))
    expect(submit()?.input.rows.edits).toBeUndefined()
    retire()
    const { rows } = submit()!.input
    expect(rows.edits?.presence).toEqual(Float32Array.of(0, 1))
  })

  it("brings all output but the newest, whether that is known or still being drawn", () => {
    for (const depth of [1, 2]) {
      const { scheduler, queue, submit, retire } = drive()
      const edits = { ...idle, frequencyPenalty: 1 }
      const sequence = makeSequence({ id: 0, prompt: [1, 2, 3], draw: { edits }, limits: { maxTokens: 8 } })
      scheduler.add(sequence)
      const seen: Array<ReadonlyArray<number>> = []
      for (let i = 0; i < 8; i++) {
        while (queue.length < depth) {
          const step = submit()
          if (step === undefined) break
          seen.push([...step.input.rows.edits!.history])
        }
        retire()
      }
      expect(seen).toEqual(seen.map((_, i) => sequence.tokens.slice(3, 3 + Math.max(0, i - 1))))
      expect(seen.length).toBe(8)
    }
  })
})
