import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as TestClock from "effect/TestClock"
import { load } from "../../src/layers/ChatTemplate.ts"
import { renderChat } from "../../src/layers/engine/chat.ts"
import type { ChatTemplateInstance } from "../../src/services/ChatTemplate.ts"
import { folderAt } from "../support/modelFolder.ts"

/** What transformers rendered: 82 templates of real models by 12 sets of variables. See the README of the golden files. */
interface Answer {
  readonly text?: string
  /** raise_exception's message, or Python's error with its type in front. */
  readonly error?: string
}

const folder = join(import.meta.dirname, "chat_templates")
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"))
const contexts: Readonly<Record<string, Readonly<Record<string, unknown>>>> = read("contexts.json")
const expected: Readonly<Record<string, Readonly<Record<string, Answer>>>> = read("expected.json")
const files = readdirSync(join(folder, "templates"))

/** Renders that differ from Python's, each with its cause. A line that is wrong here fails, as does one that is missing. */
const differing: Readonly<Record<string, string>> = {}

/** The clock of the golden renders, in whatever time zone the test runs. */
const noon = new Date(2025, 6, 10, 12).getTime()

const templateOf = (file: string) =>
  load(folderAt("/nowhere", { "chat_template.jinja": readFileSync(join(folder, "templates", file), "utf8") }))

const renderWith = (template: ChatTemplateInstance, context: Readonly<Record<string, unknown>>) => {
  const { messages, tools, add_generation_prompt, ...chatTemplateKwargs } = context
  const options = {
    addGenerationPrompt: add_generation_prompt as boolean,
    ...(tools === undefined ? {} : { tools: tools as ReadonlyArray<unknown> }),
    chatTemplateKwargs
  }
  return Effect.either(renderChat(template, messages as ReadonlyArray<unknown>, options))
}

/** Python's own errors; all others are what a template said by raise_exception. */
const stumbled = (error: string) => /^(TypeError|UndefinedError): /.test(error)

describe("chat templates as transformers renders them", () => {
  it("covers all templates and contexts", () => {
    assert.deepStrictEqual(Object.keys(expected).sort(), files.sort())
    assert.strictEqual(files.length * Object.keys(contexts).length, 984)
  })

  for (const file of files)
    it.effect(file, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const template = yield* templateOf(file)
        for (const [name, context] of Object.entries(contexts)) {
          const { text, error } = expected[file]![name]!
          const got = yield* renderWith(template, context)
          if (text !== undefined) {
            const differs = Either.isLeft(got) || got.right !== text
            const listed = differing[`${file} ${name}`] !== undefined
            if (differs && !listed) assert.deepStrictEqual(Either.merge(got), text, `${file} with ${name}`)
            assert.strictEqual(differs, listed, `${file} with ${name} is listed as differing, but does not differ`)
          } else {
            // Where Python's own operation failed ours does too: nothing is made up.
            assert.isTrue(Either.isLeft(got), `${file} with ${name}: Python says ${error}`)
            if (Either.isLeft(got) && !stumbled(error!)) assert.include(got.left.message, error!)
          }
        }
      })
    )
})

describe("chats in the form that a real template wants", () => {
  const chat = { chatTemplateContentFormat: "auto" } as const
  const { messages, tools } = contexts.toolcall_str as {
    readonly messages: Array<object>
    readonly tools: Array<object>
  }

  it.effect("call tools by DeepSeek-R1's, which wants the arguments as text", () =>
    Effect.gen(function* () {
      const template = yield* templateOf("hf_deepseek-ai_DeepSeek-R1.jinja")
      const untouched = yield* renderChat(template, messages, {})
      const [user, assistant, result] = messages as Array<{ tool_calls?: Array<{ function: object }> }>
      const { tool_calls: [called] = [] } = assistant!
      const inner = { ...called!.function, arguments: JSON.parse('{"q": "x"}') }
      for (const given of [messages, [user, { ...assistant, tool_calls: [{ ...called, function: inner }] }, result]])
        assert.strictEqual((yield* renderChat(template, given, chat)).replace('{"q":"x"}', '{"q": "x"}'), untouched)
    })
  )

  it.effect("give Hermes's a type that it goes round in, and hear of it", () =>
    Effect.gen(function* () {
      const template = yield* templateOf("hf_NousResearch_Hermes-2-Pro-Llama-3-8B_JSON_Schema_.jinja")
      const parameters = { type: "object", properties: { x: { type: "null" } } }
      const endless = { type: "function", function: { name: "f", description: "d", parameters } }
      const fault = yield* Effect.flip(
        renderChat(template, [{ role: "user", content: "Hi" }], { ...chat, tools: [endless] })
      )
      assert.strictEqual(fault.field, "chatTemplate")
      assert.match(fault.message, /nests more than 100 levels deep at line \d+/)
      yield* renderChat(template, [{ role: "user", content: "Hi" }], { ...chat, tools })
    })
  )

  it.effect("render whole by every template that takes Python's", () =>
    Effect.gen(function* () {
      for (const file of files) {
        if (expected[file]?.plain?.text === undefined) continue
        const template = yield* templateOf(file)
        const parts = (contexts.plain!.messages as Array<{ content: string }>).map((message) => ({
          ...message,
          content: [{ type: "text", text: message.content }]
        }))
        const { bos_token, eos_token } = contexts.plain!
        const text = yield* renderChat(template, parts, { ...chat, chatTemplateKwargs: { bos_token, eos_token } })
        assert.include(text, "How are you?", file)
      }
    })
  )
})
