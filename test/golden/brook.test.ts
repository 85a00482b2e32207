import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { LLM } from "../../src/index.ts"

interface Case {
  readonly name: string
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: string }> | null
  readonly tools: ReadonlyArray<unknown> | null
  readonly prompt: string
  readonly promptTokenIds: ReadonlyArray<number>
  readonly greedy: ReadonlyArray<number>
  readonly text: string
  readonly finishReason: "stop" | "length"
  readonly steps: ReadonlyArray<{ readonly token: number; readonly top: ReadonlyArray<readonly [number, number]> }>
  readonly bf16MayDifferFromStep: number | null
}
const { cases } = JSON.parse(readFileSync(new URL("cases/real/brook.json", import.meta.url), "utf8")) as {
  cases: ReadonlyArray<Case>
}
const model = new URL("../../models/brook", import.meta.url).pathname

/** float32 agrees to the end; bfloat16 up to the step that the case names. */
const agreed = (given: Case, dtype: string) =>
  dtype === "float32" ? given.greedy.length : (given.bf16MayDifferFromStep ?? given.greedy.length)

describe.each(["bfloat16", "float32"] as const)("Brook in %s on the Cpu backend", (dtype) => {
  let llm: LLM
  beforeAll(async () => {
    llm = await LLM.create({ model, device: "cpu", dtype })
  })
  afterAll(() => llm.close())

  it.each(cases.filter(({ messages }) => messages !== null))(
    "renders $name as its template does",
    async ({ messages, tools, prompt }) => {
      expect(await llm.applyChatTemplate(messages!, tools ? { tools } : {})).toBe(prompt)
    }
  )

  it.each(cases)("tokenizes $name", async ({ prompt, promptTokenIds }) => {
    expect(await llm.tokenize(prompt, { addSpecialTokens: false })).toEqual(promptTokenIds)
  })

  it.each(cases)("answers $name", async (given) => {
    const [output] = await llm.generate([...given.promptTokenIds], {
      temperature: 0,
      maxTokens: given.greedy.length + 8,
      logprobs: 5
    })
    const { tokenIds, text, finishReason, logprobs } = output!.outputs[0]!
    const steps = agreed(given, dtype)
    expect(tokenIds.slice(0, steps)).toEqual(given.greedy.slice(0, steps))
    if (steps === given.greedy.length) {
      expect(tokenIds).toEqual(given.greedy)
      expect(text).toBe(given.text)
      expect(finishReason).toBe(given.finishReason)
    }
    const tolerance = dtype === "float32" ? 1e-3 : 0.15
    given.steps.slice(0, steps).forEach(({ top }, step) => {
      const got = logprobs![step]![0]!
      expect(Math.abs(got.logprob - top[0]![1])).toBeLessThan(tolerance)
    })
  })
})
