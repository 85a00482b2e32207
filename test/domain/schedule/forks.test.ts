import { describe, expect, it } from "@effect/vitest"
import type { Sequence } from "../../../src/domain/request/sequence.ts"
import { drive, vocabSize } from "../../support/driveScheduler.ts"
import { referenceTokens } from "../../support/fakeDevice.ts"
import { makeSequence, range } from "../../support/sequences.ts"

const outputs = (sequence: Sequence) => sequence.tokens.slice(sequence.promptLength)
const family = (count: number, prompt: ReadonlyArray<number>, maxTokens = 16, first = 0) =>
  range(count).map((i) => makeSequence({ id: first + i, prompt, draw: { seed: BigInt(i) }, limits: { maxTokens } }))
const alone = (prompt: ReadonlyArray<number>, count: number, seed: number) =>
  referenceTokens(prompt, vocabSize, (_, drawn) => drawn >= count, seed)
const add = (d: ReturnType<typeof drive>, [first, ...others]: ReadonlyArray<Sequence>) =>
  d.scheduler.add(first!, others)
const held = (d: ReturnType<typeof drive>) => {
  const { kvBlocksTotal, kvBlocksFree } = d.scheduler.counts()
  return kvBlocksTotal - kvBlocksFree
}

describe("sequences over one prompt", () => {
  it("compute it once, draw each its own first token there, and share its full blocks", () => {
    const d = drive({ prefixCaching: false })
    const all = family(4, range(40))
    add(d, all)
    const first = d.submit()!
    expect(first.plan.parts.map(({ tokens, rows }) => [tokens, rows])).toEqual([[40, 4]])
    expect([...first.input.rows.index]).toEqual([39, 39, 39, 39])
    expect([...first.input.rows.seed].filter((_, word) => word % 2 === 0)).toEqual([0, 1, 2, 3])
    expect(held(d)).toBe(3)
    // The next step is made before the first tokens are known: each takes its own from its row.
    const second = d.submit()!
    expect([...second.input.tokens]).toEqual([-1, -2, -3, -4])
    // Three copy the third block, the last that still shares it writes to it in place.
    expect(second.input.copies.length).toBe(6)
    expect(held(d)).toBe(2 + 4)
    d.finish(2)
    for (const [i, sequence] of all.entries()) expect(outputs(sequence)).toEqual(alone(range(40), 16, i))
    expect(held(d)).toBe(0)
  })

  it("copy nothing where the prompt fills its blocks", () => {
    const d = drive({ prefixCaching: false })
    add(d, family(3, range(32)))
    d.submit()
    expect(d.submit()!.input.copies.length).toBe(0)
    expect(held(d)).toBe(2 + 3)
    d.finish(2)
  })

  it("take turns where fewer may run", () => {
    const d = drive({ maxNumSeqs: 2 })
    const all = family(5, range(20))
    add(d, all)
    d.submit()
    d.retire()
    expect(d.submit()!.plan.parts.length).toBe(2)
    d.retire()
    d.finish()
    for (const [i, sequence] of all.entries()) expect(outputs(sequence)).toEqual(alone(range(20), 16, i))
  })

  it("go on without the first, whether it ends before the prompt does or after", () => {
    for (const steps of [1, 3]) {
      const d = drive({ maxNumBatchedTokens: 16 })
      const all = family(3, range(40))
      add(d, all)
      for (let step = 0; step < steps; step++) {
        d.submit()
        d.retire()
      }
      d.scheduler.finish(all[0]!)
      d.finish()
      expect(all.slice(1).map(outputs)).toEqual([alone(range(40), 16, 1), alone(range(40), 16, 2)])
      expect(held(d)).toBe(0)
    }
  })

  it("preempted, are computed anew as any other", () => {
    const d = drive({ blocks: 7, maxModelLen: 100, maxNumBatchedTokens: 100, prefixCaching: false })
    const all = family(4, range(50), 40)
    add(d, all)
    d.finish(2)
    for (const [i, sequence] of all.entries()) expect(outputs(sequence)).toEqual(alone(range(50), 40, i))
    expect(d.scheduler.counts().preemptions).toBeGreaterThan(0)
    expect(held(d)).toBe(0)
  })

  it("are all gone, blocks too, when all are ended while their first step runs", () => {
    const d = drive()
    const all = family(3, range(40))
    add(d, all)
    d.submit()
    d.submit()
    for (const sequence of all) d.scheduler.finish(sequence)
    expect(d.retire()).toEqual([])
    d.retire()
    expect(held(d)).toBe(0)
    expect(d.scheduler.counts()).toMatchObject({ running: 0, waiting: 0, parked: 0 })
  })
})

describe("a sequence whose owner chooses its tokens", () => {
  const chooser = (id: number, prompt: ReadonlyArray<number>) =>
    makeSequence({ id, requestId: "beams", prompt, chooses: true, waitsForTokens: true })

  it("waits for its token, can be forked before it gets one, and computes nothing twice", () => {
    const d = drive()
    const parent = chooser(1, range(20))
    d.scheduler.add(parent)
    d.submit()
    expect(d.submit()).toBeUndefined()
    expect(d.retire()[0]).toMatchObject({ sequence: parent, finishReason: undefined })
    expect(outputs(parent)).toEqual([])
    expect(d.submit()).toBeUndefined()
    const child = chooser(2, range(20))
    d.scheduler.fork(parent, child)
    d.scheduler.settle(parent, 7)
    d.scheduler.settle(child, 8)
    const { plan, input } = d.submit()!
    expect(plan.parts.map(({ sequence, start, tokens }) => [sequence.id, start, tokens])).toEqual([
      [1, 20, 1],
      [2, 20, 1]
    ])
    expect([...input.tokens]).toEqual([7, 8])
    expect(input.copies.length).toBe(2)
    d.retire()
    for (const sequence of [parent, child]) d.scheduler.finish(sequence)
    expect(held(d)).toBe(0)
  })

  it("refuses a token that it did not ask for", () => {
    const d = drive()
    const parent = chooser(1, range(20))
    d.scheduler.add(parent)
    expect(() => d.scheduler.settle(parent, 7)).toThrow("no draw to settle")
    d.scheduler.finish(parent)
    expect(() => d.scheduler.settle(parent, 7)).toThrow("has ended")
  })
})
