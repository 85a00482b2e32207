import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { load } from "../../src/layers/ChatTemplate.ts"
import type { ChatTemplateOptions } from "../../src/services/ChatTemplate.ts"
import { folderAt } from "../support/modelFolder.ts"

const brook = folderAt(new URL("../../models/brook", import.meta.url).pathname)
const config = (value: unknown) => folderAt("/nowhere", { "tokenizer_config.json": JSON.stringify(value) })
const user = (content: string) => ({ role: "user", content })

const render = (
  folder: ReturnType<typeof folderAt>,
  messages: ReadonlyArray<unknown>,
  options?: ChatTemplateOptions
): Promise<string> => Effect.runPromise(Effect.flatMap(load(folder), (template) => template.render(messages, options)))

const refusal = (folder: ReturnType<typeof folderAt>, options?: ChatTemplateOptions): Promise<string> =>
  Effect.runPromise(
    Effect.flatMap(load(folder), (template) => template.render([user("Hi")], options)).pipe(
      Effect.flip,
      Effect.map((error) => error.message)
    )
  )

describe("Brook's chat template", () => {
  it("asks for the assistant's turn", async () => {
    expect(await render(brook, [user("Tell me a story")])).toBe(
      "<|im_start|>user\nTell me a story<|im_end|>\n<|im_start|>assistant\n"
    )
  })

  it("puts system and tools first, and joins the parts of a message", async () => {
    const parts = {
      role: "user",
      content: [
        { type: "text", text: "a" },
        { type: "text", text: "b" }
      ]
    }
    expect(await render(brook, [{ role: "system", content: "Be brief." }, parts], { tools: [{ name: "f" }] })).toBe(
      '<|im_start|>system\nBe brief.\n\nTools:\n{"name": "f"}\n' +
        'Call a tool with <tool_call>{"name": ..., "arguments": {...}}</tool_call>.<|im_end|>\n' +
        "<|im_start|>user\nab<|im_end|>\n<|im_start|>assistant\n"
    )
  })

  it("ends inside the final message when that is to be continued", async () => {
    const messages = [user("Once"), { role: "assistant", content: "Upon a time " }]
    expect(await render(brook, messages, { continueFinalMessage: true })).toBe(
      "<|im_start|>user\nOnce<|im_end|>\n<|im_start|>assistant\nUpon a time "
    )
  })
})

describe("a checkpoint's chat template", () => {
  const print = "{{ bos_token }}|{{ eos_token }}|{{ tools is none }}|{{ documents is defined }}|{{ mood }}"

  it("sees special tokens, absent tools and documents as none, and the request's variables", async () => {
    const folder = config({ bos_token: { content: "<s>" }, eos_token: "</s>", chat_template: print })
    expect(await render(folder, [user("Hi")], { chatTemplateKwargs: { mood: "glad", eos_token: "!" } })).toBe(
      "<s>|!|True|True|glad"
    )
  })

  it("is chosen by name, and for tools where there is one for tools", async () => {
    const entries = ["default", "tool_use", "rag"].map((name) => ({
      name,
      template: `${name} {{ messages[0].content }}`
    }))
    const folder = config({ chat_template: entries })
    expect(await render(folder, [user("Hi")])).toBe("default Hi")
    expect(await render(folder, [user("Hi")], { tools: [] })).toBe("tool_use Hi")
    expect(await render(folder, [user("Hi")], { chatTemplate: "rag" })).toBe("rag Hi")
  })

  it("comes from chat_template.jinja before the other files", async () => {
    const files = {
      "tokenizer_config.json": JSON.stringify({ bos_token: "<s>", chat_template: "config" }),
      "chat_template.json": JSON.stringify({ chat_template: "json" })
    }
    expect(await render(folderAt("/nowhere", files), [])).toBe("json")
    expect(await render(folderAt("/nowhere", { ...files, "chat_template.jinja": "{{ bos_token }} file" }), [])).toBe(
      "<s> file"
    )
  })

  it("is refused with a sentence when it is absent, malformed, or refuses itself", async () => {
    expect(await refusal(folderAt("/nowhere"))).toMatch(/chatTemplate.*the checkpoint brings none.*plain prompt/)
    expect(await refusal(folderAt("/nowhere"), { chatTemplate: "a\n{% if %}" })).toMatch(
      /chatTemplate.*line 2 of the chat template \(\{% if %\}\)/
    )
    expect(await refusal(config({ chat_template: "{{ raise_exception('roles must alternate') }}" }))).toMatch(
      /roles must alternate/
    )
  })

  it("may be one of several files", async () => {
    const files = {
      "chat_template.jinja": "default {{ messages[0].content }}",
      "additional_chat_templates/tool_use.jinja": "tools {{ messages[0].content }}",
      "additional_chat_templates/rag.jinja": "rag {{ messages[0].content }}",
      "additional_chat_templates/README.md": "none"
    }
    const folder = folderAt("/nowhere", files)
    expect(await render(folder, [user("Hi")])).toBe("default Hi")
    expect(await render(folder, [user("Hi")], { tools: [] })).toBe("tools Hi")
    expect(await render(folder, [user("Hi")], { chatTemplate: "rag" })).toBe("rag Hi")
    expect(await refusal(folder, { chatTemplate: "README" })).toMatch(/or the name of .*default, rag, tool_use/)
  })

  it("reads the caller's clock", async () => {
    const clock = { ...Clock.make(), unsafeCurrentTimeMillis: () => new Date(2031, 0, 2).getTime() }
    const rendered = Effect.flatMap(load(config({ chat_template: "{{ strftime_now('%Y-%m-%d') }}" })), (template) =>
      template.render([])
    )
    expect(await Effect.runPromise(Effect.withClock(rendered, clock))).toBe("2031-01-02")
  })
})

describe("the options of a chat template", () => {
  const folder = config({ chat_template: "{% for m in messages %}[{{ m.content }}]{% endfor %}" })

  it("cannot both open a turn and leave one open, nor go on with what is not there", async () => {
    const both = { addGenerationPrompt: true, continueFinalMessage: true }
    expect(await refusal(folder, both)).toMatch(/continueFinalMessage.*addGenerationPrompt/)
    expect(await refusal(config({ chat_template: "none" }), { continueFinalMessage: true })).toMatch(
      /continueFinalMessage.*does not show the final message/
    )
  })

  it("leave the final message open where its template strips white space", async () => {
    const strips = config({ chat_template: "{% for m in messages %}<{{ m.content | trim }}>{% endfor %}" })
    const messages = [user("a"), { role: "assistant", content: " b " }]
    expect(await render(strips, messages, { continueFinalMessage: true })).toBe("<a><b")
  })
})
