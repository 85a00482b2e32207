import { expect, it } from "vitest"
import { LLM } from "../../src/index.ts"

const model = new URL("../../models/brook", import.meta.url).pathname
const requests = 2000
const atOnce = 40

/** A deterministic stream of numbers in [0, 1). */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

it("2,000 requests, of several replies and beam searches among them, with random cancels leave no block lent and memory flat", async () => {
  await using llm = await LLM.create({ model, device: "cpu", maxNumSeqs: 32, maxModelLen: 256 })
  const draw = random(7)
  const sizes: Array<number> = []
  let started = 0
  let cancelled = 0
  let beams = 0

  const one = async (index: number) => {
    const prompt = Array.from({ length: 1 + Math.floor(draw() * 60) }, () => 3 + Math.floor(draw() * 2000))
    const maxTokens = 1 + Math.floor(draw() * 24)
    const stopAfter = draw() < 0.5 ? Math.floor(draw() * 12) : Number.POSITIVE_INFINITY
    const abort = new AbortController()
    const viaSignal = draw() < 0.5
    let seen = 0
    const search = async () => {
      const params = { beamWidth: 1 + Math.floor(draw() * 6), maxTokens, ignoreEos: true }
      if (viaSignal) setTimeout(() => abort.abort(), draw() * 60)
      await llm.beamSearch([prompt], params, { signal: abort.signal })
      beams++
    }
    const n = draw() < 0.2 ? 2 + Math.floor(draw() * 4) : 1
    const take = async () => {
      for await (const delta of llm.stream(
        prompt,
        { maxTokens, seed: index, ignoreEos: true, n },
        { signal: abort.signal }
      )) {
        seen += delta.tokenIds.length
        if (seen < stopAfter) continue
        cancelled++
        if (!viaSignal) break
        abort.abort()
      }
    }
    await (draw() < 0.1 ? search() : take()).catch((cause) => {
      if (!abort.signal.aborted) throw cause
    })
  }
  const worker = async () => {
    while (started < requests) {
      const index = started++
      await one(index)
      if (index % 200 === 199) {
        globalThis.gc?.()
        sizes.push(process.memoryUsage.rss())
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  await new Promise((resolve) => setTimeout(resolve, 200))

  const metrics = await llm.getMetrics()
  expect(cancelled).toBeGreaterThan(300)
  expect(beams).toBeGreaterThan(50)
  expect(metrics.running + metrics.waiting + metrics.parked).toBe(0)
  expect(metrics.kvBlocksFree).toBe(metrics.kvBlocksTotal)
  const settled = sizes.slice(sizes.length / 2)
  expect(Math.max(...settled) - Math.min(...settled)).toBeLessThan(64 * 2 ** 20)
}, 300_000)
