import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { afterEach, describe, expect, it } from "vitest"
import { type EngineOptions, LLM, type RequestOutput } from "../../src/index.ts"
import { instructionPaths } from "../support/devices.ts"

const model = new URL("../../models/brook", import.meta.url).pathname
const digests = new URL("digests.json", import.meta.url)

const words =
  "the fox ran over a hill and found a small brown map near the old mill by the river while rain fell".split(" ")
const prompt = `<|im_start|>user\n${Array.from({ length: 90 }, (_, i) => words[(i * 7) % words.length]).join(" ")}<|im_end|>\n<|im_start|>assistant\n`
const params = { temperature: 0.8, topP: 0.9, seed: 11, maxTokens: 40, logprobs: 3, ignoreEos: true } as const

/** Tokens, and every logprob to the bit. */
const bits = ({ outputs: [output] }: RequestOutput) =>
  JSON.stringify([
    output!.tokenIds,
    output!.logprobs!.map((entries) =>
      entries.map(({ tokenId, logprob }) => [tokenId, Buffer.from(Float32Array.of(logprob).buffer).toString("hex")])
    )
  ])

const open: Array<LLM> = []
const engine = async (options: Partial<EngineOptions>) => {
  const llm = await LLM.create({ model, device: "cpu", ...options })
  open.push(llm)
  return llm
}
afterEach(async () => {
  delete process.env.MILLRACE_ISA
  await Promise.all(open.splice(0).map((llm) => llm.close()))
})
const alone = async (options: Partial<EngineOptions>) =>
  bits((await (await engine(options)).generate(prompt, params))[0]!)
const others = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    prompt: `${words.slice(i % 9).join(" ")} ${i}`,
    params: { temperature: 1, seed: i, maxTokens: 20 + (i % 30) }
  }))

describe.each(["bfloat16", "float32", "float16"] as const)("a request has the same bits in %s", (dtype) => {
  it("alone, among 64 others, chunked, cached, preempted, at 1 or 2 threads, on every instruction path", async () => {
    const want = await alone({ dtype })

    const busy = await engine({ dtype })
    const crowd = others(64)
    const all = await busy.generate(
      [...crowd.map((other) => other.prompt), prompt],
      [...crowd.map((other) => other.params), params]
    )
    expect(bits(all.at(-1)!), "among 64 others").toBe(want)

    const [again] = await busy.generate(prompt, params)
    expect(again!.numCachedTokens).toBeGreaterThan(0)
    expect(bits(again!), "from the prefix cache").toBe(want)

    for (const maxNumBatchedTokens of [3, 17, 64])
      expect(await alone({ dtype, maxNumBatchedTokens, maxNumSeqs: 2 }), `chunks of ${maxNumBatchedTokens}`).toBe(want)

    for (const numThreads of [1, 2]) expect(await alone({ dtype, numThreads }), `${numThreads} threads`).toBe(want)

    for (const isa of await instructionPaths()) {
      process.env.MILLRACE_ISA = isa
      const llm = await engine({ dtype, maxNumSeqs: 4 })
      expect(llm.model.device).toContain(`(${isa})`)
      expect(bits((await llm.generate(prompt, params))[0]!), isa).toBe(want)
    }
  }, 180_000)

  it("after preemption", async () => {
    const want = await alone({ dtype })
    const bytesPerToken = 6 * 2 * 4 * 32 * (dtype === "float32" ? 4 : 2)
    const tight = await engine({
      dtype,
      maxModelLen: 512,
      maxNumSeqs: 8,
      kvCacheMemoryBytes: bytesPerToken * 16 * 36,
      enablePrefixCaching: false
    })
    const crowd = others(7).map((other) => ({ ...other, params: { ...other.params, maxTokens: 120, ignoreEos: true } }))
    const all = await tight.generate(
      [...crowd.map((other) => other.prompt), prompt],
      [...crowd.map((other) => other.params), params]
    )
    expect((await tight.getMetrics()).preemptions).toBeGreaterThan(0)
    expect(bits(all.at(-1)!)).toBe(want)
  }, 120_000)

  it("on every machine: the committed digest", async () => {
    const digest = createHash("sha256")
      .update(await alone({ dtype }))
      .digest("hex")
    const committed: Record<string, string> = JSON.parse(readFileSync(digests, "utf8"))
    if (process.env.MILLRACE_WRITE_DIGESTS)
      writeFileSync(digests, JSON.stringify({ ...committed, [dtype]: digest }, null, 2) + "\n")
    else expect(digest).toBe(committed[dtype])
  })
})
