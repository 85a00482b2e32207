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

/** A sequence; sometimes with others that have its prompt and draw with the seeds behind its own. Ids from `id` upwards. */
const randomGroup = (random: Random, id: number, maxModelLen: number, shared: ReadonlyArray<number>) => {
  const length = random.int(1, maxModelLen - 1)
  const own = range(length).map(() => random.int(0, vocabSize - 1))
  const prompt = random.chance(0.6) ? [...shared.slice(0, random.int(0, length)), ...own].slice(0, length) : own
  const salt = random.pick([undefined, undefined, undefined, "salt"])
  const chooses = random.chance(0.15)
  const promptLogprobs = random.chance(0.15) && !chooses ? 1 : -1
  const spec = {
    prompt,
    priority: random.int(0, 3),
    chooses,
    waitsForTokens: chooses || random.chance(0.2),
    ...(salt === undefined ? {} : { cacheSalt: salt }),
    limits: {
      maxTokens: random.int(1, 16),
      eosTokenIds: new Set([random.int(0, vocabSize - 1)]),
      stopTokenIds: new Set([random.int(0, vocabSize - 1)]),
      ignoreEos: random.chance(0.3)
    }
  }
  return range(chooses ? 1 : random.pick([1, 1, 2, 5])).map((i) =>
    makeSequence({ ...spec, id: id + i, draw: { seed: BigInt(i), promptLogprobs: i === 0 ? promptLogprobs : -1 } })
  )
}

const expected = (sequence: Sequence, maxModelLen: number) => {
  const { limits, promptLength } = sequence
  const ends = (token: number, count: number) =>
    (!limits.ignoreEos && limits.eosTokenIds.has(token)) ||
    limits.stopTokenIds.has(token) ||
    count >= limits.maxTokens ||
    promptLength + count >= maxModelLen
  return referenceTokens(sequence.tokens.slice(0, promptLength), vocabSize, ends, Number(sequence.draw.seed))
}

/** Ids that a group keeps for itself, its forks' included. */
const idsOfGroup = 8

/** What the events say of one sequence. */
interface Heard {
  readonly tokens: Array<number>
  readonly promptRows: Array<number>
  readonly siblings: Array<Sequence>
  ended: boolean
  aborted: boolean
}

interface World {
  readonly random: Random
  readonly d: ReturnType<typeof drive>
  readonly heard: Map<Sequence, Heard>
  readonly forks: { atPrompt: number; chosen: number }
  /** Those that choose, have drawn, and wait for their fellows. */
  readonly answered: Set<Sequence>
  ids: number
}

const enter = (world: World, siblings: Array<Sequence>) => {
  for (const sequence of siblings)
    world.heard.set(sequence, { tokens: [], promptRows: [], siblings, ended: false, aborted: false })
}

const abort = ({ d, heard }: World, sequence: Sequence) => {
  d.scheduler.finish(sequence)
  heard.get(sequence)!.aborted = true
}

/** Its owner's choice: an end; or a token of its own, and now and then another one for each of some forks. */
const choose = (world: World, sequence: Sequence) => {
  const { random, d, heard } = world
  const { limits, tokens, promptLength, priority, draw, cacheSalt, requestId } = sequence
  if (tokens.length + 1 >= Math.min(d.config.maxModelLen, promptLength + limits.maxTokens))
    return abort(world, sequence)
  const prompt = tokens.slice(0, promptLength)
  const salt = cacheSalt === undefined ? {} : { cacheSalt }
  const { siblings } = heard.get(sequence)!
  for (let forks = random.pick([0, 0, 0, 1, 2]); forks > 0 && siblings.length < idsOfGroup; forks--) {
    const spec = { id: siblings[0]!.id + siblings.length, requestId, prompt, priority, draw, limits, ...salt }
    const child = makeSequence({ ...spec, chooses: true, waitsForTokens: true })
    child.tokens.push(...tokens.slice(promptLength))
    siblings.push(child)
    heard.set(child, { tokens: [], promptRows: [], siblings, ended: false, aborted: false })
    d.scheduler.fork(sequence, child)
    d.scheduler.settle(child, random.int(0, vocabSize - 1))
    world.forks.chosen++
  }
  d.check()
  if (random.chance(0.2)) abort(world, sequence)
  else d.scheduler.settle(sequence, random.int(0, vocabSize - 1))
}

/** Fellows are chosen for together, when all that are left have drawn. */
const chooseTogether = (world: World, { siblings }: Heard) => {
  const { answered } = world
  const fellows = siblings.filter(({ status }) => status !== "finished")
  if (!fellows.every((fellow) => answered.has(fellow))) return
  for (const fellow of fellows) {
    answered.delete(fellow)
    choose(world, fellow)
  }
}

const hear = (world: World, events: ReadonlyArray<SequenceEvent>) => {
  for (const event of events) {
    const record = world.heard.get(event.sequence)!
    if (record.ended || record.aborted) throw new Error(`Sequence ${event.sequence.id} has an event after its end`)
    if (event.sequence.chooses) {
      if (event.token !== undefined) world.answered.add(event.sequence)
      chooseTogether(world, record)
      continue
    }
    for (let r = 0; r < event.promptRows; r++) record.promptRows.push(event.promptStart + r)
    if (event.token !== undefined) record.tokens.push(event.token)
    record.ended = event.finishReason !== undefined
  }
}

const alive = ({ heard }: World) =>
  [...heard].filter(([, record]) => !record.ended && !record.aborted).map(([sequence]) => sequence)

/** Parking and resuming, siblings together, and aborts of one or of all of them. */
const disturb = (world: World) => {
  const { random, d, heard } = world
  for (const sequence of alive(world)) {
    const siblings = heard.get(sequence)!.siblings.filter(({ status }) => status !== "finished")
    const parked = sequence.status === "parked"
    if (random.chance(parked ? 0.2 : 0.03))
      for (const sibling of siblings) (parked ? d.scheduler.resume : d.scheduler.park)(sibling)
    if (random.chance(0.01)) {
      for (const ended of random.chance(0.5) ? siblings : [sequence]) abort(world, ended)
      chooseTogether(world, heard.get(sequence)!)
    }
  }
  d.check()
}

/** Arrivals, forks, aborts and parking at random, `depth` steps in flight, until every sequence has ended. */
const scenario = (seed: number) => {
  const random = makeRandom(seed)
  const d = drive(randomConfig(random))
  const world: World = { random, d, heard: new Map(), forks: { atPrompt: 0, chosen: 0 }, answered: new Set(), ids: 0 }
  const { maxModelLen } = d.config
  const shared = range(maxModelLen).map(() => random.int(0, vocabSize - 1))
  const depth = random.int(1, 2)
  let arrivals = random.int(1, 5)
  for (let turn = 0; arrivals > 0 || alive(world).length > 0; turn++) {
    if (turn > 5000) throw new Error("Somebody starves")
    if (arrivals > 0 && random.chance(0.4)) {
      const [first, ...others] = randomGroup(random, world.ids, maxModelLen, shared)
      world.ids += idsOfGroup
      world.forks.atPrompt += others.length
      arrivals--
      enter(world, [first!, ...others])
      d.scheduler.add(first!, others)
    }
    disturb(world)
    const submitted = d.queue.length < depth ? d.submit() : undefined
    if (!submitted && d.queue.length === 0 && alive(world).some(({ status }) => status !== "parked"))
      throw new Error("Nothing runs, though somebody waits")
    if (d.queue.length === depth || !submitted) if (d.queue.length > 0) hear(world, d.retire())
  }
  while (d.queue.length > 0) hear(world, d.retire())
  return { world, counts: d.scheduler.counts(), maxModelLen, depth }
}

const verify = (seed: number) => {
  const { world, counts, maxModelLen, depth } = scenario(seed)
  expect(counts).toMatchObject({ running: 0, waiting: 0, parked: 0, kvBlocksFree: counts.kvBlocksTotal })
  for (const [sequence, { tokens, promptRows, aborted }] of world.heard) {
    // What a chosen sequence reads, and that it is its own, the device has checked.
    if (sequence.chooses) continue
    const whole = expected(sequence, maxModelLen)
    expect(tokens).toEqual(aborted ? whole.slice(0, tokens.length) : whole)
    expect(sequence.tokens.slice(sequence.promptLength)).toEqual(tokens)
    const wanted = sequence.draw.promptLogprobs < 0 ? [] : range(sequence.promptLength - 1, 1)
    expect(promptRows).toEqual(aborted ? wanted.slice(0, promptRows.length) : wanted)
  }
  const aborts = [...world.heard.values()].filter((record) => record.aborted).length
  return { ...counts, ...world.forks, overlapped: depth > 1 ? 1 : 0, aborts }
}

describe("random schedules", () => {
  it("10,000 of them conserve blocks, starve nobody, and give each sequence the tokens that it has alone", () => {
    const total = { preemptions: 0, hits: 0, overlapped: 0, aborts: 0, forks: 0, chosen: 0 }
    for (let seed = 0; seed < 10_000; seed++) {
      try {
        const counts = verify(seed)
        total.preemptions += counts.preemptions
        total.hits += counts.prefixCacheHits
        total.overlapped += counts.overlapped
        total.aborts += counts.aborts
        total.forks += counts.atPrompt
        total.chosen += counts.chosen
      } catch (cause) {
        throw new Error(`Schedule of seed ${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause })
      }
    }
    // The schedules are worth something only if all of this happens in them, and often.
    for (const count of Object.values(total)) expect(count).toBeGreaterThan(1000)
  })
})
