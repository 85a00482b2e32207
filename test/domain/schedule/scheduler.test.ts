import { describe, expect, it } from "@effect/vitest"
import type { Sequence } from "../../../src/domain/request/sequence.ts"
import { drive, shares, vocabSize } from "../../support/driveScheduler.ts"
import { referenceTokens } from "../../support/fakeDevice.ts"
import { makeSequence, range } from "../../support/sequences.ts"

const outputs = (sequence: Sequence) => sequence.tokens.slice(sequence.promptLength)
const alone = (prompt: ReadonlyArray<number>, count: number) =>
  referenceTokens(prompt, vocabSize, (_, drawn) => drawn >= count)
const step = (d: ReturnType<typeof drive>) => {
  const submitted = d.submit()
  return { shares: shares(submitted), input: submitted!.input, events: d.retire() }
}

describe("the numbers of vLLM's own tests", () => {
  it("shares a budget of 1024 among three prompts of 800 with a long-prefill threshold of 400", () => {
    const d = drive({ longPrefillTokenThreshold: 400 })
    for (const id of [1, 2, 3]) d.scheduler.add(makeSequence({ id, prompt: range(800, id * 1000) }))
    expect([step(d).shares, step(d).shares, step(d).shares]).toEqual([
      [400, 400, 224],
      [400, 400, 224],
      [1, 1, 352]
    ])
    expect(step(d).shares).toEqual([1, 1, 1])
  })

  it("gives a prompt of 55 tokens blocks 1 to 4 of 10, and computes only the tail of one that shares 48", () => {
    const d = drive({ blocks: 10, maxModelLen: 100, maxNumBatchedTokens: 100 })
    const first = makeSequence({ id: 1, prompt: range(55) })
    d.scheduler.add(first)
    expect([...step(d).input.cacheGroups[0]!.blockTables]).toEqual([1, 2, 3, 4])
    const second = makeSequence({ id: 2, prompt: [...range(48), 901, 902, 903, 904, 905, 906, 907] })
    d.scheduler.add(second)
    const { shares, input } = step(d)
    expect(shares).toEqual([1, 7])
    expect([...input.cacheGroups[0]!.blockTables]).toEqual([1, 2, 3, 4, 1, 2, 3, 5])
    expect(second.cached).toBe(48)
    expect(d.scheduler.counts()).toMatchObject({ kvBlocksFree: 5, prefixCacheHits: 48, prefixCacheQueries: 110 })
  })
})

describe("scheduler", () => {
  it("gives each sequence the tokens that it has alone, and all blocks back", () => {
    const d = drive()
    const sequences = [5, 40, 17].map((length, id) => makeSequence({ id, prompt: range(length, id) }))
    for (const sequence of sequences) d.scheduler.add(sequence)
    const events = d.finish()
    for (const sequence of sequences)
      expect(outputs(sequence)).toEqual(alone(sequence.tokens.slice(0, sequence.promptLength), 16))
    expect(events.filter((event) => event.finishReason === "length")).toHaveLength(3)
    expect(d.scheduler.counts()).toMatchObject({ running: 0, waiting: 0, kvBlocksFree: 256 })
  })

  it("never runs more than maxNumSeqs, and admits the next when one ends", () => {
    const d = drive({ maxNumSeqs: 2 })
    for (const id of [1, 2, 3])
      d.scheduler.add(makeSequence({ id, prompt: range(4, id), limits: { maxTokens: id === 1 ? 1 : 5 } }))
    expect(step(d).shares).toEqual([4, 4])
    expect(d.submit()!.plan.parts.map((part) => part.sequence.id)).toEqual([2, 3])
  })

  it("without chunks, schedules a prompt whole or lets it wait", () => {
    const d = drive({ enableChunkedPrefill: false, maxModelLen: 100, maxNumBatchedTokens: 100 })
    for (const id of [1, 2]) d.scheduler.add(makeSequence({ id, prompt: range(60, id * 100) }))
    expect(step(d).shares).toEqual([60])
    expect(step(d).shares).toEqual([1, 60])
  })

  it("lets one that waits for its tokens sit out a step while others run on", () => {
    const d = drive()
    const waits = makeSequence({ id: 1, prompt: range(4, 1), waitsForTokens: true })
    const runs = makeSequence({ id: 2, prompt: range(4, 2) })
    for (const sequence of [waits, runs]) d.scheduler.add(sequence)
    const served = () => d.submit()?.plan.parts.map((part) => part.sequence.id)
    expect(served()).toEqual([1, 2])
    expect(served()).toEqual([2])
    d.retire()
    expect(served()).toEqual([1, 2])
    d.finish(2)
    expect(outputs(waits)).toEqual(alone(range(4, 1), 16))
    expect(outputs(runs)).toEqual(alone(range(4, 2), 16))
  })

  it("serves the lower priority value first, then the earlier arrival", () => {
    const d = drive({ policy: "priority", maxNumSeqs: 3 })
    for (const [id, priority] of [
      [1, 5],
      [2, 0],
      [3, 0],
      [4, 9]
    ] as const)
      d.scheduler.add(makeSequence({ id, priority, prompt: range(4, id) }))
    expect(d.submit()!.plan.parts.map((part) => part.sequence.id)).toEqual([2, 3, 1])
  })

  it("preempts the last arrival when blocks run out, and its tokens stay the same", () => {
    const d = drive({ blocks: 4, blockSize: 4, maxModelLen: 16, maxNumSeqs: 2, maxNumBatchedTokens: 16 })
    const sequences = [1, 2].map((id) => makeSequence({ id, prompt: range(6, id * 10), limits: { maxTokens: 8 } }))
    for (const sequence of sequences) d.scheduler.add(sequence)
    d.finish()
    expect(d.scheduler.counts().preemptions).toBeGreaterThan(0)
    for (const sequence of sequences) expect(outputs(sequence)).toEqual(alone(range(6, sequence.id * 10), 8))
  })

  it("stops at an end-of-sequence token without a stop reason, at a stop token with it, and not where it is ignored", () => {
    const reply = alone(range(6), 16)
    const at = reply.findIndex((token, i) => i > 1 && reply.indexOf(token) === i)
    const run = (limits: object) => {
      const d = drive()
      const sequence = makeSequence({ id: 1, prompt: range(6), limits })
      d.scheduler.add(sequence)
      return { last: d.finish().at(-1)!, count: outputs(sequence).length }
    }
    const token = new Set([reply[at]!])
    const eos = run({ eosTokenIds: token })
    expect(eos).toMatchObject({ count: at + 1, last: { finishReason: "stop", stopReason: undefined } })
    const stop = run({ stopTokenIds: token })
    expect(stop).toMatchObject({ count: at + 1, last: { finishReason: "stop", stopReason: reply[at] } })
    const ignored = run({ eosTokenIds: token, ignoreEos: true })
    expect(ignored).toMatchObject({ count: 16, last: { finishReason: "length", stopReason: undefined } })
  })

  it("ends a sequence where maxModelLen is reached", () => {
    const d = drive({ maxModelLen: 20 })
    const sequence = makeSequence({ id: 1, prompt: range(14), limits: { maxTokens: 1000 } })
    d.scheduler.add(sequence)
    expect(d.finish().at(-1)).toMatchObject({ finishReason: "length" })
    expect(sequence.tokens).toHaveLength(20)
  })

  it("asks for each prompt logprob once, across chunks and a preemption, and reads no cached block for them", () => {
    const d = drive({ maxNumBatchedTokens: 7, maxNumSeqs: 4, maxModelLen: 64, blocks: 16, blockSize: 4 })
    const prompt = range(20)
    d.scheduler.add(makeSequence({ id: 1, prompt, limits: { maxTokens: 1 } }))
    d.finish()
    const sequence = makeSequence({ id: 2, prompt, draw: { promptLogprobs: 2, logprobs: 0 } })
    d.scheduler.add(sequence)
    const seen: Array<number> = []
    let chunks = 0
    const take = () => {
      const { events, input } = step(d)
      chunks++
      for (const { promptRow, promptRows, promptStart, row, token } of events) {
        for (let r = 0; r < promptRows; r++) {
          seen.push(promptStart + r)
          expect(input.rows.target[promptRow + r]).toBe(prompt[promptStart + r])
          expect(input.positions[input.rows.index[promptRow + r]!]).toBe(promptStart + r - 1)
          expect(input.rows.logprobs[promptRow + r]).toBe(2)
        }
        if (token !== undefined) expect([input.rows.target[row], input.rows.logprobs[row]]).toEqual([-1, 0])
      }
    }
    take()
    d.scheduler.park(sequence)
    // A second one that needs the whole pool makes the parked one lose its blocks.
    d.scheduler.add(makeSequence({ id: 3, prompt: range(50, 500), limits: { maxTokens: 12 } }))
    d.finish()
    expect(d.scheduler.counts().preemptions).toBe(1)
    d.scheduler.resume(sequence)
    while (outputs(sequence).length === 0) take()
    expect(chunks).toBeGreaterThan(3)
    expect(seen).toEqual(range(19, 1))
    expect(sequence.cached).toBe(0)
  })

  it("finishes a sequence whose logits are not finite, and serves the others", () => {
    const d = drive({ faults: (n, row) => n === 1 && row === 0 })
    const sequences = [1, 2].map((id) => makeSequence({ id, prompt: range(5, id) }))
    for (const sequence of sequences) d.scheduler.add(sequence)
    d.submit()
    d.retire()
    d.submit()
    const events = d.retire()
    expect(events.map(({ fault, token }) => [fault, token === undefined])).toEqual([
      [true, true],
      [false, false]
    ])
    expect(sequences[0]!.status).toBe("finished")
    d.finish()
    expect(outputs(sequences[1]!)).toEqual(alone(range(5, 2), 16))
    expect(d.scheduler.counts().kvBlocksFree).toBe(256)
  })

  it("packs what a row is drawn with", () => {
    const d = drive()
    const draw = { temperature: 0.5, topK: 7, topP: 0.25, minP: 0.125, seed: 0x1_0000_0002n, logprobs: 3 }
    d.scheduler.add(makeSequence({ id: 1, prompt: range(5), draw }))
    const rows = [step(d).input.rows, step(d).input.rows]
    expect(rows.map((r) => [r.temperature[0], r.topK[0], r.topP[0], r.minP[0], r.logprobs[0]])).toEqual(
      Array(2).fill([0.5, 7, 0.25, 0.125, 3])
    )
    expect(rows.map((r) => [...r.seed])).toEqual([
      [2, 1],
      [2, 1]
    ])
    expect(rows.map((r) => [...r.outputIndex])).toEqual([[0], [1]])
    expect(rows.map((r) => [...r.index])).toEqual([[4], [0]])
  })
})

describe("parking", () => {
  it("gives a parked sequence no compute, keeps its blocks and lends its run slot", () => {
    const d = drive({ maxNumSeqs: 1 })
    const [first, second] = [1, 2].map((id) => makeSequence({ id, prompt: range(20, id) }))
    d.scheduler.add(first!)
    d.scheduler.add(second!)
    step(d)
    d.scheduler.park(first!)
    expect(d.submit()!.plan.parts.map((part) => part.sequence.id)).toEqual([2])
    d.retire()
    expect(first!.blocks.blocks).toHaveLength(2)
    expect(d.scheduler.counts()).toMatchObject({ running: 1, parked: 1, waiting: 0 })
    d.finish()
    d.scheduler.resume(first!)
    expect(step(d).shares).toEqual([1])
    d.finish()
    expect(outputs(first!)).toEqual(alone(range(20, 1), 16))
  })

  it("still takes the token that was being drawn when it was parked", () => {
    const d = drive()
    const sequence = makeSequence({ id: 1, prompt: range(5), limits: { maxTokens: 2 } })
    d.scheduler.add(sequence)
    d.submit()
    d.scheduler.park(sequence)
    expect(d.submit()).toBeUndefined()
    expect(d.retire()).toMatchObject([{ token: alone(range(5), 1)[0] }])
    d.scheduler.resume(sequence)
    d.finish()
    expect(outputs(sequence)).toEqual(alone(range(5), 2))
  })

  it("takes a parked sequence's blocks before any other's", () => {
    const d = drive({ blocks: 6, blockSize: 4, maxModelLen: 20, maxNumBatchedTokens: 20, maxNumSeqs: 3 })
    const sequences = [1, 2, 3].map((id) => makeSequence({ id, prompt: range(7, id * 10), limits: { maxTokens: 4 } }))
    for (const sequence of sequences) d.scheduler.add(sequence)
    step(d)
    step(d)
    d.scheduler.park(sequences[0]!)
    step(d)
    expect(sequences[0]!.blocks.blocks).toHaveLength(0)
    expect(sequences.map(({ status }) => status)).toEqual(["parked", "running", "running"])
    d.finish()
    d.scheduler.resume(sequences[0]!)
    d.finish()
    for (const sequence of sequences) expect(outputs(sequence)).toEqual(alone(range(7, sequence.id * 10), 4))
  })
})

describe("overlap", () => {
  it("lets a later arrival take no block of an earlier one that waits for its token", () => {
    const d = drive({ blocks: 5, blockSize: 4, maxModelLen: 20, maxNumBatchedTokens: 20, maxNumSeqs: 3 })
    const first = makeSequence({ id: 1, prompt: range(11) })
    d.scheduler.add(first)
    d.submit()
    d.scheduler.park(first)
    d.scheduler.add(makeSequence({ id: 2, prompt: range(3, 20), limits: { maxTokens: 3 } }))
    d.submit()
    d.scheduler.resume(first)
    d.scheduler.add(makeSequence({ id: 3, prompt: range(8, 40) }))
    expect(d.submit()!.plan.parts.map((part) => part.sequence.id)).toEqual([2])
    expect(first.blocks.blocks).toHaveLength(3)
    expect(d.scheduler.counts().preemptions).toBe(0)
  })

  it("takes the token of the step that still runs by its row", () => {
    const d = drive()
    for (const id of [1, 2]) d.scheduler.add(makeSequence({ id, prompt: range(5, id) }))
    d.submit()
    const { input } = d.submit()!
    expect([...input.tokens]).toEqual([-1, -2])
    expect([...input.positions]).toEqual([5, 5])
    d.retire()
    expect([...d.submit()!.input.tokens]).toEqual([-1, -2])
  })

  it("waits for the token when the step that draws it is not the one before", () => {
    const d = drive()
    const first = makeSequence({ id: 1, prompt: range(5) })
    d.scheduler.add(first)
    d.submit()
    d.scheduler.park(first)
    d.scheduler.add(makeSequence({ id: 2, prompt: range(5, 9) }))
    d.submit()
    d.scheduler.resume(first)
    const third = d.submit()
    expect(third!.plan.parts.map((part) => part.sequence.id)).toEqual([2])
  })

  it("throws the overrun token away: not emitted, not cached, blocks held until its step is back", () => {
    const reply = alone(range(15), 16)
    const d = drive({ blocks: 8, maxModelLen: 64, blockSize: 8 })
    const sequence = makeSequence({ id: 1, prompt: range(15), limits: { stopTokenIds: new Set([reply[0]!]) } })
    d.scheduler.add(sequence)
    d.submit()
    d.submit()
    expect(d.retire()).toMatchObject([{ token: reply[0], finishReason: "stop", stopReason: reply[0] }])
    expect(d.scheduler.counts().kvBlocksFree).toBe(6)
    expect(d.retire()).toEqual([])
    expect(d.scheduler.counts().kvBlocksFree).toBe(8)
    // Position 15 was computed by the overrun step only: the block that it fills is not to be found.
    const again = makeSequence({ id: 2, prompt: [...range(15), reply[0]!, 1] })
    d.scheduler.add(again)
    d.submit()
    expect(again.cached).toBe(8)
  })

  it("computes nothing beyond a limit that is known ahead", () => {
    const d = drive()
    d.scheduler.add(makeSequence({ id: 1, prompt: range(5), limits: { maxTokens: 2 } }))
    d.submit()
    d.submit()
    expect(d.submit()).toBeUndefined()
    d.retire()
    expect(d.submit()).toBeUndefined()
    expect(d.retire()).toMatchObject([{ finishReason: "length" }])
  })

  it("quarantines the blocks of a finished sequence until the last step that names them is back", () => {
    const d = drive({ blocks: 8, maxModelLen: 64 })
    const sequence = makeSequence({ id: 1, prompt: range(20) })
    d.scheduler.add(sequence)
    d.submit()
    d.submit()
    d.scheduler.finish(sequence)
    expect(d.scheduler.counts()).toMatchObject({ running: 0, kvBlocksFree: 6 })
    expect(d.retire()).toEqual([])
    expect(d.scheduler.counts().kvBlocksFree).toBe(6)
    expect(d.retire()).toEqual([])
    expect(d.scheduler.counts().kvBlocksFree).toBe(8)
  })

  it("leaves a submitted step's arrays as they were", () => {
    const d = drive()
    d.scheduler.add(makeSequence({ id: 1, prompt: range(5) }))
    const { input } = d.submit()!
    const before = structuredClone(input)
    for (let i = 0; i < 6; i++) {
      d.submit()
      d.retire()
    }
    expect(input).toEqual(before)
  })
})

describe("what is refused", () => {
  it.each([
    [{ blocks: 3, maxModelLen: 100 }, /blocks: given 3, expected at least 7/],
    [{ maxNumBatchedTokens: 8 }, /maxNumBatchedTokens: given 8, expected at least maxNumSeqs \(16\)/],
    [{ enableChunkedPrefill: false, maxNumBatchedTokens: 512 }, /expected at least maxModelLen \(1024\)/],
    [{ maxNumSeqs: 0 }, /maxNumSeqs: given 0/],
    [{ longPrefillTokenThreshold: -1 }, /longPrefillTokenThreshold: given -1/]
  ])("a configuration that cannot serve: %o", (config, message) => {
    expect(() => drive(config)).toThrow(message)
  })

  it("a prompt that leaves no room for a reply, and an id in use", () => {
    const d = drive({ maxModelLen: 10 })
    expect(() => d.scheduler.add(makeSequence({ id: 1, prompt: range(10) }))).toThrow(/holds 10, the reply included/)
    d.scheduler.add(makeSequence({ id: 1, prompt: range(9) }))
    expect(() => d.scheduler.add(makeSequence({ id: 1, prompt: range(9) }))).toThrow(/in use/)
  })

  it("a step that comes back out of turn", () => {
    const d = drive()
    d.scheduler.add(makeSequence({ id: 1, prompt: range(9) }))
    d.submit()
    const second = d.submit()!
    expect(() => d.scheduler.advance(second.plan, second.result)).toThrow(/Step 1 came back; step 0 was awaited/)
  })
})
