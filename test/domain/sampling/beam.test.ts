import { describe, expect, it } from "@effect/vitest"
import { type BeamRules, beamScore, type EndedBeam, finishBeams, stepBeams } from "../../../src/domain/sampling/beam.ts"

const eos = 9
const rules: BeamRules = {
  width: 2,
  promptLength: 3,
  lengthPenalty: 1,
  eosTokenIds: new Set([eos, 8]),
  ignoreEos: false
}
const root = [{ tokens: [], cumulativeLogprob: 0 }]
const candidate = (token: number, logprob: number) => ({ token, logprob })

describe("beam search", () => {
  it("scores by prompt and output, an end-of-sequence token at the end left out, to the power of the penalty", () => {
    expect(beamScore(rules, 2, 5, -10)).toBe(-2)
    expect(beamScore(rules, 2, eos, -10)).toBe(-2.5)
    expect(beamScore({ ...rules, lengthPenalty: 0 }, 2, 5, -10)).toBe(-10)
    expect(beamScore({ ...rules, lengthPenalty: 2 }, 2, 5, -50)).toBe(-2)
  })

  it("keeps the best of all beams' candidates together, whichever beam they come from", () => {
    const beams = [
      { tokens: [1], cumulativeLogprob: -1 },
      { tokens: [2], cumulativeLogprob: -5 }
    ]
    const { branches } = stepBeams(
      rules,
      beams,
      [
        [candidate(3, -1), candidate(4, -2), candidate(5, -9)],
        [candidate(3, -0.1), candidate(4, -0.2)]
      ],
      []
    )
    expect(branches.map(({ parent, token, cumulativeLogprob }) => [parent, token, cumulativeLogprob])).toEqual([
      [0, 3, -2],
      [0, 4, -3]
    ])
  })

  it("takes the earlier of two equal candidates", () => {
    const { branches } = stepBeams({ ...rules, width: 1 }, root, [[candidate(4, -1), candidate(3, -1)]], [])
    expect(branches.map(({ token }) => token)).toEqual([4])
  })

  it("ends a beam by any end-of-sequence token, which takes no place among those that go on", () => {
    const step = [[candidate(eos, -0.1), candidate(8, -0.2), candidate(1, -3), candidate(2, -4)]]
    const { branches, ended } = stepBeams(rules, root, step, [])
    expect(branches.map(({ token }) => token)).toEqual([1, 2])
    expect(ended).toEqual([
      { tokens: [eos], cumulativeLogprob: -0.1, score: -0.1 / 3, finishReason: "stop" },
      { tokens: [8], cumulativeLogprob: -0.2, score: -0.2 / 3, finishReason: "stop" }
    ])
    const ignored = stepBeams({ ...rules, ignoreEos: true }, root, step, [])
    expect(ignored.branches.map(({ token }) => token)).toEqual([eos, 8])
    expect(ignored.ended).toEqual([])
  })

  it("remembers as many ended beams as it may return, the best of all steps", () => {
    const before: ReadonlyArray<EndedBeam> = [-1, -7].map((score) => ({
      tokens: [eos],
      cumulativeLogprob: 3 * score,
      score,
      finishReason: "stop"
    }))
    const { ended } = stepBeams(rules, root, [[candidate(eos, -6), candidate(8, -30)]], before)
    expect(ended.map(({ score }) => score)).toEqual([-1, -2])
  })

  it("returns the best of those that ended and of those that are cut off", () => {
    const ended: ReadonlyArray<EndedBeam> = [
      { tokens: [1, eos], cumulativeLogprob: -8, score: -2, finishReason: "stop" }
    ]
    const live = [
      { tokens: [1, 2], cumulativeLogprob: -5 },
      { tokens: [1, 3], cumulativeLogprob: -15 }
    ]
    expect(finishBeams(rules, live, ended, "length").map(({ score, finishReason }) => [score, finishReason])).toEqual([
      [-1, "length"],
      [-2, "stop"]
    ])
  })
})
