import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Engine, InvalidRequest, LLM } from "../../src/index.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

const model = new URL("../../models/brook", import.meta.url).pathname
const options = { model, device: nativeBuilt() ? "cpu" : "reference", maxModelLen: 512 } as const
const params = { temperature: 0, maxTokens: 40 }
type Message = Readonly<Record<string, unknown>>

let llm: LLM
beforeAll(async () => {
  llm = await LLM.create(options)
})
afterAll(() => llm.close())

const answer = async (messages: ReadonlyArray<Message>, more: Parameters<LLM["chat"]>[2] = {}) => {
  const [output] = await llm.chat(messages, params, more)
  return { ...output!, text: output!.outputs[0]!.text }
}
const problem = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => expect.fail("was taken"),
    (reason: unknown) => reason
  )
  return error instanceof InvalidRequest ? error : expect.fail(String(error))
}

describe("a chat with Brook", () => {
  it("remembers its turns, and computes only what is new in each", async () => {
    const messages: Array<Message> = [{ role: "system", content: "You are Brook, a helpful assistant." }]
    const cached: Array<number> = []
    let before = 0
    for (const content of ["My name is Nora.", "What is 12 + 7?", "What is my name?"]) {
      messages.push({ role: "user", content })
      const { text, numCachedTokens, promptTokenIds } = await answer(messages)
      messages.push({ role: "assistant", content: text })
      // Whole blocks of 16 of the turn before are there; of the first turn, nothing.
      cached.push(numCachedTokens - Math.floor(before / 16) * 16)
      before = promptTokenIds.length
    }
    expect(messages[4]!.content).toContain("19")
    expect(messages[6]!.content).toContain("Nora")
    expect(cached[0]).toBe(0)
    expect(Math.min(...cached)).toBe(0)
  })

  it("answers several conversations at once, each as alone", async () => {
    const chats = ["What is the capital of France?", "What is the opposite of hot?"].map((content) => [
      { role: "user", content }
    ])
    const outputs = await llm.chat(chats, params)
    for (const [at, chat] of chats.entries()) expect(outputs[at]!.outputs[0]!.text).toBe((await answer(chat)).text)
    expect(outputs[0]!.outputs[0]!.text).toContain("Paris")
  })

  it("takes a message in parts as it takes it whole, the system's too", async () => {
    const whole = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "What is 2 + 2?" }
    ]
    const parts = whole.map(({ role, content }) => ({ role, content: [{ type: "text", text: content }] }))
    expect((await answer(parts)).prompt).toBe((await answer(whole)).prompt)
  })

  it("goes on with a message that is left open", async () => {
    const messages = [
      { role: "user", content: "What is the capital of France?" },
      { role: "assistant", content: "The capital of France is" }
    ]
    const { prompt, text } = await answer(messages, { addGenerationPrompt: false, continueFinalMessage: true })
    expect(prompt).toMatch(/The capital of France is$/)
    expect(text).toContain("Paris")
  })
})

describe("a chat with a custom template", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-chat-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const template =
    "{%- for message in messages -%}\n<|im_start|>{{ message.role }}\n{{ prefix }}{{ message.content }}<|im_end|>\n" +
    "{% endfor -%}\n{%- if add_generation_prompt -%}<|im_start|>assistant\n{% endif -%}\n"
  const messages = [{ role: "user", content: "What is the opposite of hot?" }]
  const prompt = "<|im_start|>user\n> What is the opposite of hot?<|im_end|>\n<|im_start|>assistant\n"
  const chatTemplateKwargs = { prefix: "> " }

  it("takes it as text or as a file, in chat, streamChat and applyChatTemplate", async () => {
    const file = join(folder, "mine.jinja")
    writeFileSync(file, template)
    for (const chatTemplate of [template, file]) {
      const given = { chatTemplate, chatTemplateKwargs }
      const { prompt: rendered, promptTokenIds } = await answer(messages, given)
      expect(rendered).toBe(prompt)
      expect(promptTokenIds).toEqual(await llm.tokenize(prompt, { addSpecialTokens: false }))
      expect(await llm.applyChatTemplate(messages, given)).toBe(prompt)
      let text = ""
      for await (const delta of llm.streamChat(messages, params, given))
        if (delta.type === "text-delta") text += delta.delta
      expect(text).toBe((await answer(messages, given)).text)
    }
  })

  it("refuses what is none by its field, and goes on serving", async () => {
    expect((await problem(llm.chat(messages, params, { chatTemplate: folder }))).message).toMatch(/EISDIR/)
    expect((await problem(llm.chat(messages, params, { chatTemplate: "no/such.jinja" }))).message).toMatch(
      /chatTemplate: given no\/such.jinja, expected a file that can be read.*ENOENT/
    )
    expect((await problem(llm.chat(messages, params, { chatTemplate: "rag.v2" }))).message).toMatch(
      /chatTemplate.*or the name of one of the checkpoint's: default/
    )
    const bomb = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    expect((await problem(llm.chat(messages, params, { chatTemplate: bomb }))).field).toBe("chatTemplate")
    const error = await problem(llm.chat(messages, params, { chatTemplate: "\n\n{{ messages[0].name.first }}" }))
    expect(error.message).toMatch(/line 3 of the chat template/)
    expect((await answer(messages)).text).toContain("cold")
  })

  it("is read as a text or a name, never as a path, by an engine", async () => {
    const file = join(folder, "engine.jinja")
    writeFileSync(file, template)
    const result = await Engine.completeChat({ messages: [messages[0]!], chatTemplate: file }).pipe(
      Effect.either,
      Effect.provide(Engine.layer(options)),
      Effect.runPromise
    )
    expect(Either.isLeft(result) && result.left instanceof InvalidRequest && result.left.field).toBe("chatTemplate")
  })
})

describe("a chat that cannot be", () => {
  const wrong: ReadonlyArray<readonly [string, unknown, Parameters<LLM["chat"]>[2]?]> = [
    ["messages", []],
    ["messages", "Hi"],
    ["messages[1]", [[{ role: "user", content: "Hi" }], { role: "user", content: "Hi" }]],
    ["messages[0].role", [{ content: "Hi" }]],
    ["messages[0].role", [{ role: 1, content: "Hi" }]],
    ["tools[0].function.name", [{ role: "user", content: "Hi" }], { tools: [{ type: "function", function: {} }] }],
    [
      "continueFinalMessage",
      [{ role: "user", content: "Hi" }],
      { addGenerationPrompt: true, continueFinalMessage: true }
    ]
  ]
  for (const [field, messages, more] of wrong)
    it(`names ${field}: ${JSON.stringify(messages).slice(0, 60)}`, async () => {
      const given = messages as ReadonlyArray<Message>
      expect((await problem(llm.chat(given, params, more))).field).toBe(field)
    })

  it("is refused by applyChatTemplate too, which takes an empty list", async () => {
    expect((await problem(llm.applyChatTemplate([{ content: "Hi" }]))).field).toBe("messages[0].role")
    expect(await llm.applyChatTemplate([])).toBe("<|im_start|>assistant\n")
    const unknown = { chatTemplat: "x" } as Parameters<LLM["applyChatTemplate"]>[1]
    expect((await problem(llm.applyChatTemplate([{ role: "user", content: "Hi" }], unknown))).message).toMatch(
      /chatTemplat.*chatTemplate/
    )
  })
})
