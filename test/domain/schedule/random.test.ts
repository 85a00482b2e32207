import { describe, expect, it } from "@effect/vitest"
import type { Sequence } from "../../../src/domain/request/sequence.ts"
import type { SequenceEvent } from "../../../src/domain/schedule/scheduler.ts"
import { type DriveConfig, drive, vocabSize } from "../../support/driveScheduler.ts"
import { referenceTokens } from "../../support/fakeDevice.ts"
import { makeSequence, range } from "../../support/sequences.ts"

type Random = ReturnType<typeof makeRandom>
const makeRandom = (seed: number) => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0
    let h = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
    return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32
  }
  const int = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return { int, chance: (p: number) => next() < p, pick: <A>(list: ReadonlyArray<A>) => list[int(0, list.length - 1)]! }
}

const randomConfig = (random: Random): DriveConfig => {
  const blockSize = random.pick([1, 2, 4, 8])
  const maxModelLen = random.int(8, 48)
  const enableChunkedPrefill = random.chance(0.8)
  const maxNumSeqs = random.int(1, 6)
  const least = enableChunkedPrefill ? maxNumSeqs : Math.max(maxNumSeqs, maxModelLen)
  return {
    blockSize,
    maxModelLen,
    enableChunkedPrefill,
    maxNumSeqs,
    maxNumBatchedTokens: least + random.int(0, 24),
    longPrefillTokenThreshold: random.pick([0, 0, 1, 5]),
    policy: random.pick(["fcfs", "priority"]),
    // From the least that can serve one sequence up to room for several.
    blocks: Math.ceil((maxModelLen - 1) / blockSize) + random.int(0, random.pick([0, 2, 40])),
    prefixCaching: random.chance(0.8)
  }
}

const randomSequence = (random: Random, id: number, maxModelLen: number, shared: ReadonlyArray<number>): Sequence => {
  const length = random.int(1, maxModelLen - 1)
  const own = range(length).map(() => random.int(0, vocabSize - 1))
  const prompt = random.chance(0.6) ? [...shared.slice(0, random.int(0, length)), ...own].slice(0, length) : own
  const salt = random.pick([undefined, undefined, undefined, "salt"])
  return makeSequence({
    id,
    prompt,
    priority: random.int(0, 3),
    waitsForTokens: random.chance(0.2),
    ...(salt === undefined ? {} : { cacheSalt: salt }),
    draw: { promptLogprobs: random.chance(0.15) ? 1 : -1 },
    limits: {
      maxTokens: random.int(1, 16),
      eosTokenIds: new Set([random.int(0, vocabSize - 1)]),
      stopTokenIds: new Set([random.int(0, vocabSize - 1)]),
      ignoreEos: random.chance(0.3)
    }
  })
}

const expected = (sequence: Sequence, maxModelLen: number) => {
  const { limits, promptLength } = sequence
  const ends = (token: number, count: number) =>
    (!limits.ignoreEos && limits.eosTokenIds.has(token)) ||
    limits.stopTokenIds.has(token) ||
    count >= limits.maxTokens ||
    promptLength + count >= maxModelLen
  return referenceTokens(sequence.tokens.slice(0, promptLength), vocabSize, ends)
}

/** What the events say of one sequence. */
interface Heard {
  readonly tokens: Array<number>
  readonly promptRows: Array<number>
  ended: boolean
  aborted: boolean
}

const hear = (heard: Map<Sequence, Heard>, events: ReadonlyArray<SequenceEvent>) => {
  for (const event of events) {
    const record = heard.get(event.sequence)!
    if (record.ended || record.aborted) throw new Error(`Sequence ${event.sequence.id} has an event after its end`)
    for (let r = 0; r < event.promptRows; r++) record.promptRows.push(event.promptStart + r)
    if (event.token !== undefined) record.tokens.push(event.token)
    record.ended = event.finishReason !== undefined
  }
}

/** Arrivals, aborts and parking at random, `depth` steps in flight, until every sequence has ended. */
const scenario = (seed: number) => {
  const random = makeRandom(seed)
  const d = drive(randomConfig(random))
  const { maxModelLen } = d.config
  const shared = range(maxModelLen).map(() => random.int(0, vocabSize - 1))
  const heard = new Map<Sequence, Heard>()
  const depth = random.int(1, 2)
  const arrivals = random.int(1, 8)
  const alive = () => [...heard].filter(([, record]) => !record.ended && !record.aborted).map(([sequence]) => sequence)
  const disturb = () => {
    if (heard.size < arrivals && random.chance(0.4)) {
      const sequence = randomSequence(random, heard.size, maxModelLen, shared)
      heard.set(sequence, { tokens: [], promptRows: [], ended: false, aborted: false })
      d.scheduler.add(sequence)
    }
    for (const sequence of alive()) {
      if (sequence.status === "parked" ? random.chance(0.2) : random.chance(0.03))
        (sequence.status === "parked" ? d.scheduler.resume : d.scheduler.park)(sequence)
      if (random.chance(0.01)) {
        d.scheduler.finish(sequence)
        heard.get(sequence)!.aborted = true
      }
    }
    d.check()
  }
  for (let turn = 0; heard.size < arrivals || alive().length > 0; turn++) {
    if (turn > 5000) throw new Error("Somebody starves")
    disturb()
    const submitted = d.queue.length < depth ? d.submit() : undefined
    if (!submitted && d.queue.length === 0 && alive().some(({ status }) => status !== "parked"))
      throw new Error("Nothing runs, though somebody waits")
    if (d.queue.length === depth || !submitted) if (d.queue.length > 0) hear(heard, d.retire())
  }
  while (d.queue.length > 0) hear(heard, d.retire())
  return { heard, counts: d.scheduler.counts(), maxModelLen, depth }
}

const verify = (seed: number) => {
  const { heard, counts, maxModelLen, depth } = scenario(seed)
  expect(counts).toMatchObject({ running: 0, waiting: 0, parked: 0, kvBlocksFree: counts.kvBlocksTotal })
  for (const [sequence, { tokens, promptRows, aborted }] of heard) {
    const whole = expected(sequence, maxModelLen)
    expect(tokens).toEqual(aborted ? whole.slice(0, tokens.length) : whole)
    expect(sequence.tokens.slice(sequence.promptLength)).toEqual(tokens)
    const wanted = sequence.draw.promptLogprobs < 0 ? [] : range(sequence.promptLength - 1, 1)
    expect(promptRows).toEqual(aborted ? wanted.slice(0, promptRows.length) : wanted)
  }
  return { ...counts, overlapped: depth > 1 ? 1 : 0, aborts: [...heard.values()].filter((h) => h.aborted).length }
}

describe("random schedules", () => {
  it("10,000 of them conserve blocks, starve nobody, and give each sequence the tokens that it has alone", () => {
    const total = { preemptions: 0, hits: 0, overlapped: 0, aborts: 0 }
    for (let seed = 0; seed < 10_000; seed++) {
      try {
        const counts = verify(seed)
        total.preemptions += counts.preemptions
        total.hits += counts.prefixCacheHits
        total.overlapped += counts.overlapped
        total.aborts += counts.aborts
      } catch (cause) {
        throw new Error(`Schedule of seed ${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause })
      }
    }
    // The schedules are worth something only if all of this happens in them, and often.
    for (const count of Object.values(total)) expect(count).toBeGreaterThan(1000)
  })
})
