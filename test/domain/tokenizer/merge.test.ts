import { describe, expect, it } from "vitest"
import { mergeInPlace } from "../../../src/domain/tokenizer/merge.ts"
import { PairTable } from "../../../src/domain/tokenizer/pairTable.ts"

/** Up to sixty merges over four symbols and their own results, in an order that makes them compete. */
const table = new PairTable(64)
const alphabet = 4
const merges: Array<readonly [number, number, number]> = []
for (let next = alphabet, rank = 0; rank < 60; rank++) {
  const left = (rank * 7) % next
  const right = (rank * 5 + 3) % next
  if (merges.some(([a, b]) => a === left && b === right)) continue
  table.set(left, right, rank, next)
  merges.push([left, right, next++])
}

/** The definition, word for word: of all neighbours the pair of lowest rank, the leftmost of equals, until none merges. */
const byDefinition = (symbols: ReadonlyArray<number>): ReadonlyArray<number> => {
  const ids = [...symbols]
  for (;;) {
    let best = merges.length
    let where = -1
    for (let i = 0; i + 1 < ids.length; i++) {
      const rank = merges.findIndex(([a, b]) => a === ids[i] && b === ids[i + 1])
      if (rank >= 0 && rank < best) {
        best = rank
        where = i
      }
    }
    if (where < 0) return ids
    ids.splice(where, 2, merges[best]![2])
  }
}

describe("merging", () => {
  // 48 is where the walk gives way to the heap.
  it.each([1, 2, 3, 10, 47, 48, 49, 50, 120, 300])("%i symbols gives what the definition gives", (length) => {
    let seed = length
    for (let round = 0; round < 40; round++) {
      const symbols = Array.from({ length }, () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
        return (seed >>> 16) % alphabet
      })
      const ids = Int32Array.from(symbols)
      const count = mergeInPlace(table, ids, new Int32Array(length), length)
      expect([...ids.subarray(0, count)]).toEqual(byDefinition(symbols))
    }
  })

  it("keeps the last rank of a pair that is named twice", () => {
    const twice = new PairTable(2)
    twice.set(1, 2, 0, 3)
    twice.set(1, 2, 5, 4)
    const at = twice.find(1, 2)
    expect([twice.rankAt(at), twice.mergedAt(at), twice.find(2, 1)]).toEqual([5, 4, -1])
  })
})
