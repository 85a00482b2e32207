import { describe, expect, it } from "vitest"
import { type Finish, finishRow } from "../../../src/domain/pooling/finish.ts"
import { cosine, maxSim } from "../../../src/domain/pooling/similarity.ts"

const plain: Finish = { twoWay: false, activation: "identity", normalize: false }
const row = Float32Array.of(3, 4, 12)
const near = (given: ReadonlyArray<number>, wanted: ReadonlyArray<number>) => {
  expect(given).toHaveLength(wanted.length)
  given.forEach((value, at) => {
    expect(value).toBeCloseTo(wanted[at]!, 12)
  })
}

describe("a raw row", () => {
  it("is given as it is where nothing is asked of it", () => near(finishRow(row, plain), [3, 4, 12]))
  it("is cut before it is normalised", () =>
    near(finishRow(row, { ...plain, dimensions: 2, normalize: true }), [0.6, 0.8]))
  it("keeps its zeros where it has no length", () =>
    near(finishRow(new Float32Array(2), { ...plain, normalize: true }), [0, 0]))
  it("becomes probabilities, whatever the logits' size", () => {
    near(finishRow(Float32Array.of(1000, 1000), { ...plain, activation: "softmax" }), [0.5, 0.5])
    near(finishRow(Float32Array.of(-1000, 0, 1000), { ...plain, activation: "sigmoid" }), [0, 0.5, 1])
  })
  it("of no and yes becomes one logit, whose sigmoid is the softmax's second", () => {
    const logits = Float32Array.of(1.25, -0.5)
    near(finishRow(logits, { ...plain, twoWay: true }), [-1.75])
    const [, yes] = finishRow(logits, { ...plain, activation: "softmax" })
    near(finishRow(logits, { ...plain, twoWay: true, activation: "sigmoid" }), [yes!])
  })
  it("keeps the columns asked for, in their order, before the activation", () =>
    near(finishRow(Float32Array.of(0, 7, 0), { ...plain, columns: [2, 0], activation: "softmax" }), [0.5, 0.5]))
})

describe("similarity", () => {
  it("is the cosine, whatever the lengths, and 0 where there is no direction", () => {
    expect(cosine([3, 4], [6, 8])).toBeCloseTo(1, 12)
    expect(cosine([1, 0], [0, 2])).toBe(0)
    expect(cosine([0, 0], [1, 1])).toBe(0)
  })
  it("of late interaction sums each query token's best and is not symmetric", () => {
    const query = [[1, 0]]
    const document = [
      [0.5, 0],
      [0, 1]
    ]
    expect(maxSim(query, document)).toBe(0.5)
    expect(maxSim(document, query)).toBe(0.5)
    expect(maxSim([...query, [0, 1]], document)).toBe(1.5)
  })
})
