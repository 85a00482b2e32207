import { afterAll, describe, expect, it } from "vitest"
import type { GenerationDefaults } from "../../src/domain/sampling/generationConfig.ts"
import {
  type EngineOptions,
  type GenerationDelta,
  LLM,
  type RequestOutput,
  type SamplingInput
} from "../../src/index.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

const model = new URL("../../models/brook", import.meta.url).pathname
const prompt = "<|im_start|>user\nTell me about the river and the old mill.<|im_end|>\n<|im_start|>assistant\n"
const vocabulary = 2048
const ends = [0, 2]

const open: Array<LLM> = []
const engine = async (options: Partial<EngineOptions> = {}) => {
  const device = nativeBuilt() ? "cpu" : "reference"
  const llm = await LLM.create({ model, device, maxModelLen: 512, maxNumSeqs: 8, generationConfig: "vllm", ...options })
  open.push(llm)
  return llm
}
afterAll(async () => {
  await Promise.all(open.map((llm) => llm.close()))
})
const shared = engine({ maxLogprobs: -1 })

const reply = async (params: SamplingInput, text = prompt) => {
  const [output] = await (await shared).generate(text, { temperature: 0, maxTokens: 40, ...params })
  return { ...output!.outputs[0]!, promptLogprobs: output!.promptLogprobs }
}
const mostOften = (ids: ReadonlyArray<number>) =>
  Math.max(...ids.map((id) => ids.filter((other) => other === id).length))

describe("a parameter changes the reply as it says", () => {
  it("allowedTokenIds: nothing else is drawn, however hot", async () => {
    const allowed = [5, 300, 301, 302, 1999]
    const { tokenIds } = await reply({ allowedTokenIds: allowed, temperature: 2, seed: 1 })
    expect(tokenIds.every((id) => allowed.includes(id))).toBe(true)
    expect(new Set(tokenIds).size).toBeGreaterThan(2)
  })

  it("badWords: a word's tokens, one or several, are never written in their order", async () => {
    const llm = await shared
    const asked = { ignoreEos: true, maxTokens: 80 }
    const free = await reply(asked)
    const words = free.text.split(/[^a-z]+/).filter((word) => word.length > 0)
    const candidates = [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)]
    const spelled = await Promise.all(
      candidates.map(async (word) => ({ word, tokens: await llm.tokenize(` ${word}`) }))
    )
    const written = spelled.filter(({ tokens }) => `,${free.tokenIds},`.includes(`,${tokens},`))
    const single = written.find(({ tokens }) => tokens.length === 1)!
    const several = written.find(({ tokens }) => tokens.length > 1 && !tokens.includes(single.tokens[0]!))!
    const banned = await reply({ ...asked, badWords: [single.word, several.word] })
    for (const { tokens } of [single, several]) expect(`,${banned.tokenIds},`).not.toContain(`,${tokens},`)
    expect(banned.tokenIds.length).toBe(80)
  })

  it("minTokens: no end and no stop text counts before it", async () => {
    const free = await reply({ maxTokens: 200 })
    expect(free.finishReason).toBe("stop")
    const longer = await reply({ maxTokens: 200, minTokens: free.tokenIds.length + 10 })
    expect(longer.tokenIds.length).toBeGreaterThan(free.tokenIds.length + 9)
    expect(longer.tokenIds.slice(0, free.tokenIds.length + 10).some((id) => ends.includes(id))).toBe(false)
    const word = free.text.trim().split(" ")[1]!
    expect((await reply({ stop: [word] })).tokenIds.length).toBeLessThan(8)
    expect((await reply({ stop: [word], minTokens: 12 })).tokenIds.length).toBeGreaterThan(12)
  })

  it("logitBias: 100 forces a token, -100 forbids it, past that it is no stronger", async () => {
    expect((await reply({ logitBias: { 777: 100 }, maxTokens: 5 })).tokenIds).toEqual(Array(5).fill(777))
    const first = (await reply({ maxTokens: 1 })).tokenIds[0]!
    expect((await reply({ logitBias: { [first]: -100 } })).tokenIds).not.toContain(first)
    expect((await reply({ logitBias: { [first]: -1000 } })).tokenIds).toEqual(
      (await reply({ logitBias: { [first]: -100 } })).tokenIds
    )
  })

  it("penalties: what has been written is written less", async () => {
    const asked = { ignoreEos: true, maxTokens: 100 }
    const free = mostOften((await reply(asked)).tokenIds)
    expect(free).toBeGreaterThan(4)
    expect(mostOften((await reply({ ...asked, frequencyPenalty: 2 })).tokenIds)).toBeLessThan(free)
    expect(mostOften((await reply({ ...asked, presencePenalty: 2 })).tokenIds)).toBeLessThanOrEqual(free)
    expect(mostOften((await reply({ ...asked, repetitionPenalty: 1e9 })).tokenIds)).toBe(1)
  })

  it("repetitionPenalty looks at the prompt, the other penalties do not", async () => {
    const inPrompt = new Set(await (await shared).tokenize(prompt))
    const { tokenIds } = await reply({ repetitionPenalty: 1e9 })
    expect(tokenIds.filter((id) => inPrompt.has(id))).toEqual([])
    const plain = await reply({ maxTokens: 1 })
    expect((await reply({ maxTokens: 1, presencePenalty: 2, frequencyPenalty: 2 })).tokenIds).toEqual(plain.tokenIds)
  })

  it("a checkpoint's repetition penalty is the default", async () => {
    const defaults: GenerationDefaults["params"] = { repetitionPenalty: 1.4 }
    const llm = await engine({ overrideGenerationConfig: { repetition_penalty: 1.4 } })
    const asked = { temperature: 0, maxTokens: 60, ignoreEos: true }
    const [output] = await llm.generate(prompt, asked)
    expect(output!.outputs[0]!.tokenIds).toEqual((await reply({ ...asked, ...defaults })).tokenIds)
    expect(output!.outputs[0]!.tokenIds).not.toEqual((await reply(asked)).tokenIds)
  })

  it("detokenize false: the same tokens and no text", async () => {
    const { text, tokenIds } = await reply({ detokenize: false })
    expect(text).toBe("")
    expect(tokenIds).toEqual((await reply({})).tokenIds)
  })

  it("outputKind: what a delta carries, and never what comes out", async () => {
    const llm = await shared
    const asked = { temperature: 0, maxTokens: 20 } as const
    const whole = await reply(asked)
    for (const outputKind of ["delta", "cumulative", "final"] as const) {
      const deltas: Array<GenerationDelta> = []
      for await (const delta of llm.stream(prompt, { ...asked, outputKind })) deltas.push(delta)
      const text = outputKind === "delta" ? deltas.map((delta) => delta.text).join("") : deltas.at(-1)!.text
      expect(text, outputKind).toBe(whole.text)
      if (outputKind === "final") expect(deltas.length).toBe(1)
      if (outputKind === "cumulative")
        deltas.forEach(({ tokenIds }, i) => {
          expect(tokenIds).toEqual(whole.tokenIds.slice(0, tokenIds.length))
          expect(tokenIds.length).toBeGreaterThanOrEqual(deltas[i - 1]?.tokenIds.length ?? 0)
        })
      const [folded] = await llm.generate(prompt, { ...asked, outputKind })
      expect(folded!.outputs[0]!.tokenIds).toEqual(whole.tokenIds)
    }
  })
})

describe("logprobs", () => {
  it("0 states the drawn token alone, k adds the best, -1 states the whole vocabulary", async () => {
    const asked = { temperature: 1.5, seed: 3, maxTokens: 6, ignoreEos: true }
    const [none, some, all] = await Promise.all([0, 4, -1].map((logprobs) => reply({ ...asked, logprobs })))
    expect(none!.logprobs!.map((entries) => entries.length)).toEqual(Array(6).fill(1))
    all!.logprobs!.forEach((entries, at) => {
      expect(entries.length).toBe(vocabulary)
      expect(new Set(entries.map(({ tokenId }) => tokenId)).size).toBe(vocabulary)
      expect(entries.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 4)
      expect(entries[0]!.tokenId).toBe(all!.tokenIds[at])
      const best = entries.slice(1).map(({ logprob }) => logprob)
      expect(best).toEqual([...best].sort((a, b) => b - a))
      expect(entries[0]!.rank).toBe(entries.filter(({ logprob }) => logprob >= entries[0]!.logprob).length)
      expect(some!.logprobs![at]).toEqual(entries.filter(({ rank }, i) => i === 0 || rank <= 4))
      expect(none!.logprobs![at]).toEqual(entries.slice(0, 1))
    })
  })

  it("are the raw ones, whatever parameters do to the draw", async () => {
    const raw = (await reply({ maxTokens: 1, logprobs: -1 })).logprobs![0]!
    const { tokenIds, logprobs } = await reply({ maxTokens: 1, logprobs: 0, allowedTokenIds: [1234], temperature: 0.3 })
    expect(tokenIds).toEqual([1234])
    expect(logprobs![0]![0]).toEqual(raw.find(({ tokenId }) => tokenId === 1234))
  })

  it("see a grammar: they are over the tokens that it leaves open", async () => {
    const asked = { logprobs: -1, temperature: 1, seed: 2, structuredOutputs: { regex: "[ab]{3}" } }
    const { text, tokenIds, logprobs } = await reply({ ...asked, frequencyPenalty: 1, logitBias: { 300: 100 } })
    expect(text).toMatch(/^[ab]{3}$/)
    logprobs!.forEach((entries, at) => {
      expect(entries.length).toBeLessThan(20)
      expect(entries[0]!.tokenId).toBe(tokenIds[at])
      expect(entries.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 5)
    })
  })

  it("promptLogprobs -1 states the vocabulary at every prompt token but the first", async () => {
    const { promptLogprobs } = await reply({ promptLogprobs: -1, maxTokens: 1 }, "The old mill")
    expect(promptLogprobs![0]).toBeNull()
    expect(promptLogprobs!.slice(1).every((entries) => entries!.length === vocabulary)).toBe(true)
  })

  it("are bounded by maxLogprobs, which -1 asks past", async () => {
    const llm = await engine()
    for (const params of [{ logprobs: -1 }, { promptLogprobs: 21 }])
      await expect(llm.generate(prompt, params)).rejects.toMatchObject({
        _tag: "InvalidRequest",
        field: Object.keys(params)[0]
      })
  })
})

const kinds: ReadonlyArray<SamplingInput> = [
  {},
  { frequencyPenalty: 0.7, presencePenalty: 0.3 },
  { repetitionPenalty: 1.3, topK: 50 },
  { badWords: ["the", "river"], topP: 0.9 },
  { minTokens: 25, logitBias: { 2: 50, 300: 3 } },
  { allowedTokenIds: Array.from({ length: 500 }, (_, i) => 3 + 3 * i), logprobs: 2 },
  { temperature: 0, repetitionPenalty: 1.2, logprobs: 1 }
]

describe("the same seed gives the same reply", () => {
  const words = "the fox ran over a hill and found a small brown map near the old mill by the river".split(" ")
  const prompts = Array.from({ length: 28 }, (_, i) => `${i} ${words.slice(i % 11).join(" ")} `.repeat(1 + (i % 3)))
  const params = prompts.map((_, seed) => ({ temperature: 0.9, seed, maxTokens: 32, ...kinds[seed % kinds.length] }))
  const told = (outputs: ReadonlyArray<RequestOutput>) =>
    outputs.map(({ outputs: [output] }) => ({ ...output!, cumulativeLogprob: 0 }))

  it("reply i of n is the one reply under seed + i", async () => {
    const llm = await shared
    for (const kind of kinds.filter(({ temperature }) => temperature !== 0)) {
      const asked = { temperature: 0.9, seed: 40, maxTokens: 28, ...kind }
      const [together] = await llm.generate(prompts[3]!, { ...asked, n: 4 })
      const alone = []
      for (let i = 0; i < 4; i++) alone.push(...(await llm.generate(prompts[3]!, { ...asked, seed: 40 + i })))
      expect(together!.outputs.map(({ tokenIds, logprobs }) => ({ tokenIds, logprobs }))).toEqual(
        alone.map(({ outputs: [output] }) => ({ tokenIds: output!.tokenIds, logprobs: output!.logprobs }))
      )
    }
  })

  it("alone, in any batch, chunked, preempted, with and without overlap", async () => {
    const llm = await shared
    const alone: Array<RequestOutput> = []
    for (const [i, text] of prompts.entries()) alone.push(...(await llm.generate(text, params[i]!)))
    const want = told(alone)
    expect(told(await llm.generate(prompts, params)), "together").toEqual(want)
    const bytesPerToken = 6 * 2 * 4 * 32 * 2
    const others: Record<string, Partial<EngineOptions>> = {
      "without overlap": { disableAsyncOutputProc: true },
      "in chunks, preempted": {
        maxNumBatchedTokens: 16,
        maxModelLen: 128,
        kvCacheMemoryBytes: bytesPerToken * 16 * 24,
        enablePrefixCaching: false
      }
    }
    for (const [name, options] of Object.entries(others)) {
      const other = await engine(options)
      expect(told(await other.generate(prompts, params)), name).toEqual(want)
      if (options.maxModelLen !== undefined) expect((await other.getMetrics()).preemptions).toBeGreaterThan(0)
    }
  }, 60_000)
})
