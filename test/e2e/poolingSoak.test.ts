import { expect, it } from "vitest"
import { LLM } from "../../src/index.ts"
import { poolingFolder } from "../support/poolingGolden.ts"

const words = "the mill stands by river and water turns wheel when high quickly a fox".split(" ")

/** A deterministic stream of numbers in [0, 1). */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

const idle = async (llm: LLM) => {
  for (let wait = 0; wait < 400; wait++) {
    const { running, waiting, kvBlocksFree, kvBlocksTotal } = await llm.getMetrics()
    if (running + waiting === 0 && kvBlocksFree === kvBlocksTotal) return true
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return false
}

it("1,000 mixed requests with random cancels: nothing leaks, and what is answered is right", async () => {
  await using encoder = await LLM.create({ model: poolingFolder("bert-embed"), maxNumSeqs: 32 })
  await using decoder = await LLM.create({
    model: poolingFolder("qwen3-embed"),
    maxNumSeqs: 8,
    maxNumBatchedTokens: 64
  })
  const draw = random(11)
  const text = () =>
    Array.from({ length: 1 + Math.floor(draw() * 60) }, () => words[Math.floor(draw() * words.length)]).join(" ")
  const wanted = new Map<LLM, ReadonlyArray<number>>()
  for (const llm of [encoder, decoder]) wanted.set(llm, (await llm.embed("the mill"))[0]!.outputs.embedding)

  let started = 0
  const counts = { answered: 0, cancelled: 0, refused: 0 }
  const one = async (llm: LLM) => {
    const abort = new AbortController()
    const { signal } = abort
    const kind = Math.floor(draw() * 5)
    const call = () => {
      if (kind === 0) return llm.score(text(), [text(), text()], { signal })
      if (kind === 1) return llm.encode([text(), text()], {}, { signal })
      if (kind === 2) return llm.generate(text(), {}, { signal })
      if (kind === 3) return llm.embed(text(), { dimensions: 16 }, { signal })
      return llm.embed("the mill", {}, { signal })
    }
    if (draw() < 0.4) setTimeout(() => abort.abort(), draw() * 8)
    try {
      const outputs = await call()
      counts.answered++
      if (kind === 4) expect(outputs[0]!.outputs).toEqual({ embedding: wanted.get(llm) })
    } catch (error) {
      if (signal.aborted) counts.cancelled++
      else if (kind === 2) {
        expect(error).toMatchObject({ _tag: "TaskUnsupported" })
        counts.refused++
      } else throw error
    }
  }
  const worker = async () => {
    while (started < 1000) await one(started++ % 2 === 0 ? encoder : decoder)
  }
  await Promise.all(Array.from({ length: 40 }, worker))

  expect(counts.answered).toBeGreaterThan(300)
  expect(counts.cancelled).toBeGreaterThan(50)
  expect(counts.refused).toBeGreaterThan(50)
  for (const llm of [encoder, decoder]) expect(await idle(llm)).toBe(true)
}, 120_000)

it("abort ends a text that waits, and the id is free again", async () => {
  await using llm = await LLM.create({ model: poolingFolder("bert-embed") })
  const abort = new AbortController()
  const many = llm.embed(
    Array.from({ length: 200 }, () => "the mill stands by the river"),
    {},
    { signal: abort.signal }
  )
  abort.abort(new Error("enough"))
  await expect(many).rejects.toThrow("enough")
  expect(await idle(llm)).toBe(true)
  const done: Array<number> = []
  await llm.embed(["a", "b", "c"], {}, { progress: ({ finished }) => done.push(finished) })
  expect(done).toEqual([1, 2, 3])
})
