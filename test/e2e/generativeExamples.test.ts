import { readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BeamSearchParams, LLM, SamplingParams } from "../../src/index.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

/** The examples of vLLM's page on generative models, one after another, as the README shows them. */
const model = new URL("../../models/brook", import.meta.url).pathname
const template = join(tmpdir(), `millrace-template-${process.pid}.jinja`)

let llm: LLM
beforeAll(async () => {
  llm = await LLM.create({ model, device: nativeBuilt() ? "cpu" : "reference", maxModelLen: 512, maxNumSeqs: 8 })
  await writeFile(
    template,
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | upper }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
  )
})
afterAll(async () => {
  await llm.close()
  await rm(template, { force: true })
})

const conversation = [
  { role: "system", content: "You are a helpful assistant" },
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hello! How can I assist you today?" },
  { role: "user", content: "Write about the river." }
]

describe("LLM.generate", () => {
  it("with default parameters: the checkpoint's own", async () => {
    const outputs = await llm.generate("Hello, my name is")
    for (const { prompt, outputs: replies } of outputs) {
      expect(prompt).toBe("Hello, my name is")
      expect(replies[0]!.tokenIds.length).toBeGreaterThan(0)
      expect(replies[0]!.tokenIds.length).toBeLessThanOrEqual(16)
      expect(replies[0]!.finishReason).not.toBeNull()
    }
  })

  it("with parameters of its own, for several prompts", async () => {
    const prompts = ["Hello, my name is", "The capital of France is", "The old mill stands"]
    const params = new SamplingParams({ temperature: 0.8, topP: 0.95, seed: 7, maxTokens: 12 })
    const outputs = await llm.generate(prompts, params)
    expect(outputs.map(({ prompt }) => prompt)).toEqual(prompts)
    expect(new Set(outputs.map(({ outputs: [reply] }) => reply!.text)).size).toBe(3)
    const greedy = new SamplingParams({ temperature: 0 })
    const [first, again] = [await llm.generate(prompts[0]!, greedy), await llm.generate(prompts[0]!, greedy)]
    expect(first[0]!.outputs[0]!.text).toBe(again[0]!.outputs[0]!.text)
  })
})

describe("LLM.beamSearch", () => {
  it("keeps the best beams, the best first; generate gives the same as replies", async () => {
    const params = new BeamSearchParams({ beamWidth: 5, maxTokens: 20 })
    const [output] = await llm.beamSearch([{ prompt: "Hello, my name is " }], params)
    const { sequences } = output!
    expect(sequences).toHaveLength(5)
    expect(new Set(sequences.map(({ text }) => text)).size).toBeGreaterThan(1)
    expect(sequences.map(({ score }) => score)).toEqual(sequences.map(({ score }) => score).sort((a, b) => b - a))
    const [same] = await llm.generate("Hello, my name is ", params)
    expect(same!.outputs.map(({ text }) => text)).toEqual(sequences.map(({ text }) => text))
  })
})

describe("LLM.chat", () => {
  it("answers a conversation", async () => {
    const [output] = await llm.chat(conversation, { temperature: 0, maxTokens: 24 })
    expect(output!.outputs[0]!.text.length).toBeGreaterThan(10)
    const rendered = await llm.applyChatTemplate(conversation)
    expect(output!.promptTokenIds).toEqual(await llm.tokenize(rendered, { addSpecialTokens: false }))
  })

  it("answers by a custom template", async () => {
    const chatTemplate = await readFile(template, "utf8")
    const [output] = await llm.chat(conversation, { temperature: 0, maxTokens: 24 }, { chatTemplate })
    expect(await llm.detokenize(output!.promptTokenIds, { skipSpecialTokens: false })).toContain(
      "WRITE ABOUT THE RIVER."
    )
    expect(output!.outputs[0]!.tokenIds.length).toBeGreaterThan(0)
  })
})
