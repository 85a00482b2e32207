import { describe, expect, it } from "vitest"
import { type DrawnRow, packEdits } from "../../../src/domain/batch/packEdits.ts"
import type { OutputRows } from "../../../src/domain/batch/step.ts"
import { drawRow } from "../../../src/domain/sampling/draw.ts"
import { emptyResult, judgeRow } from "../../../src/domain/sampling/judge.ts"
import { makeSequence } from "../../support/sequences.ts"

const logits = Float32Array.of(1, 5, 4, 3, 2)

/** One greedy row with all logprobs over `logits`, changed as `asked` says. */
const judge = (asked: Partial<DrawnRow["sequence"]>, outputIndex = 0) => {
  const sequence = { ...makeSequence({ id: 0, prompt: [3] }), ...asked }
  const rows: OutputRows = {
    index: Int32Array.of(0),
    target: Int32Array.of(-1),
    logprobs: Int32Array.of(5),
    temperature: new Float32Array(1),
    topK: new Int32Array(1),
    topP: Float32Array.of(1),
    minP: new Float32Array(1),
    seed: new Uint32Array(2),
    outputIndex: Uint32Array.of(outputIndex),
    edits: packEdits([{ row: 0, outputIndex, sequence }], 1)
  }
  const result = emptyResult(rows)
  judgeRow(logits, { tokens: Int32Array.of(3), rows }, 0, result, drawRow)
  return result
}
const grammar = (word: number) => {
  const constraint = {
    words: 1,
    fillMask: (out: Uint32Array, offset: number) => out.fill(word, offset, offset + 1),
    accept: () => {},
    fork: () => constraint,
    finished: false
  }
  return { constraint }
}
const allow = (word: number) => ({
  draw: {
    ...makeSequence({ id: 0, prompt: [0] }).draw,
    edits: {
      allowed: Uint32Array.of(word),
      badWords: [],
      minTokens: 0,
      early: new Int32Array(0),
      biasIds: new Int32Array(0),
      biasValues: new Float32Array(0),
      repetitionPenalty: 1,
      presencePenalty: 0,
      frequencyPenalty: 0
    }
  }
})

describe("what a row states", () => {
  it("are logprobs over what its grammar leaves open", () => {
    const result = judge(grammar(0b11001))
    const total = Math.log(Math.exp(1) + Math.exp(3) + Math.exp(2))
    expect(result.tokens[0]).toBe(3)
    expect(result.ranks[0]).toBe(1)
    expect(result.logprobs[0]).toBeCloseTo(3 - total, 6)
    expect([...result.topTokens]).toEqual([3, 4, 0, -1, -1])
  })

  it("are logprobs of the raw logits where the request allows some ids, which may rank anywhere", () => {
    const result = judge(allow(0b10001))
    expect(result.tokens[0]).toBe(4)
    expect(result.ranks[0]).toBe(4)
    expect([...result.topTokens]).toEqual([1, 2, 3, 4, 0])
    expect(Math.abs(result.topLogprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0) - 1)).toBeLessThan(1e-6)
  })

  it("is a fault where nothing is left to draw", () => {
    expect(judge(allow(0)).faults[0]).toBe(1)
    expect(judge(grammar(0)).faults[0]).toBe(1)
    expect(judge({ ...grammar(0b1), ...allow(0b10) }).faults[0]).toBe(1)
    expect(judge({ ...grammar(0b11), ...allow(0b10) })).toMatchObject({ tokens: Int32Array.of(1) })
  })
})
