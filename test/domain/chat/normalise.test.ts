import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { type ContentFormat, contentFormatOf } from "../../../src/domain/chat/contentFormat.ts"
import { normaliseMessages } from "../../../src/domain/chat/normalise.ts"
import { compile } from "../../support/jinja.ts"

const parts = [{ type: "text", text: "a" }, "b", { type: "input_text", text: "" }, { type: "refusal", refusal: "c" }]
const call = (args: unknown) => ({ id: "1", type: "function", function: { name: "f", arguments: args } })

const one = (message: unknown, format: ContentFormat = "string") =>
  Either.getOrThrow(normaliseMessages([message], { content: format, calls: "object" }))[0]
const problem = (messages: unknown) => {
  const result = normaliseMessages(messages, { content: "string", calls: "object" })
  return Either.isLeft(result) ? result.left : expect.fail("was taken")
}

describe("messages as a template wants them", () => {
  it("have the texts of their parts on lines of one text, or as parts", () => {
    expect(one({ role: "user", content: parts })).toEqual({ role: "user", content: "a\nb\nc" })
    expect(one({ role: "user", content: ["a", { text: "b" }] }, "openai")?.content).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" }
    ])
    expect(one({ role: "user", content: "a" }, "openai")?.content).toEqual([{ type: "text", text: "a" }])
    expect(one({ role: "user", content: "a" }, "either")?.content).toBe("a")
    expect(one({ role: "user", content: ["a"] }, "either")?.content).toEqual([{ type: "text", text: "a" }])
    expect(one({ role: "assistant", content: null }, "either")?.content).toEqual([])
  })

  it("have a content though they only call", () => {
    const message = { role: "assistant", content: null, tool_calls: [call('{"b": 1, "a": [null]}')] }
    expect(one(message)).toEqual({ role: "assistant", content: "", tool_calls: [call({ b: 1, a: [null] })] })
    expect(one({ role: "assistant" }, "openai")).toEqual({ role: "assistant", content: [] })
  })

  it("hold arguments as objects, whatever they came as, and no empty lists of calls", () => {
    for (const given of [undefined, null, "", {}, "{}"])
      expect(one({ role: "assistant", content: "", tool_calls: [call(given)] })?.tool_calls).toEqual([call({})])
    expect(one({ role: "assistant", content: "x", tool_calls: [] })).toEqual({ role: "assistant", content: "x" })
    expect(one({ role: "assistant", content: "x", tool_calls: null })).toEqual({ role: "assistant", content: "x" })
  })

  it("hold arguments as text for a template that wants that", () => {
    const texts = [call('{"b": 1}'), call({ b: 1 }), call(undefined)].map((each) => {
      const form = { content: "string", calls: "text" } as const
      const [message] = Either.getOrThrow(normaliseMessages([{ role: "assistant", tool_calls: [each] }], form))
      const [first] = message!.tool_calls as ReadonlyArray<ReturnType<typeof call>>
      return first!.function.arguments
    })
    expect(texts).toEqual(['{"b": 1}', '{"b":1}', "{}"])
  })

  it("keep any role, what else they say, and reasoning under both names", () => {
    expect(one({ role: "ipython", content: "x", name: "n", tool_call_id: "1", extra: { a: 1 } })).toEqual({
      role: "ipython",
      content: "x",
      name: "n",
      tool_call_id: "1",
      extra: { a: 1 }
    })
    expect(one({ role: "assistant", content: "x", reasoning: "r" })).toEqual({
      role: "assistant",
      content: "x",
      reasoning: "r",
      reasoning_content: "r"
    })
  })

  it("leave those of the caller as they were", () => {
    const given = [{ role: "assistant", content: parts, tool_calls: [call("{}")] }]
    const before = structuredClone(given)
    normaliseMessages(given, { content: "string", calls: "object" })
    expect(given).toEqual(before)
  })
})

describe("messages that are none", () => {
  const wrong: Readonly<Record<string, unknown>> = {
    messages: "Hi",
    "messages[0]": ["Hi"],
    "messages[0].role": [{ content: "x" }],
    "messages[1].role": [
      { role: "user", content: "x" },
      { role: 3, content: "x" }
    ],
    "messages[0].content": [{ role: "user", content: 5 }],
    "messages[0].content[1]": [{ role: "user", content: ["a", { type: "image_url", image_url: { url: "x" } }] }],
    "messages[0].content[0].text": [{ role: "user", content: [{ type: "text" }] }],
    "messages[0].name": [{ role: "user", content: "x", name: 1 }],
    "messages[0].tool_calls": [{ role: "assistant", tool_calls: {} }],
    "messages[0].tool_calls[0]": [{ role: "assistant", tool_calls: ["f"] }],
    "messages[0].tool_calls[0].function": [{ role: "assistant", tool_calls: [{ name: "f" }] }],
    "messages[0].tool_calls[0].function.name": [{ role: "assistant", tool_calls: [{ function: { arguments: "{}" } }] }],
    "messages[0].tool_calls[0].function.arguments": [{ role: "assistant", tool_calls: [call("{not json")] }],
    "messages[0].toolCalls": [{ role: "assistant", content: "", toolCalls: [] }]
  }
  for (const [field, messages] of Object.entries(wrong))
    it(`names ${field}`, () => expect(problem(messages).field).toBe(field))

  it("names messages when there are none", () => expect(problem([]).message).toMatch(/messages.*at least one/))
})

describe("the form of content that a template wants", () => {
  it("is told in time, however a template names its messages", () => {
    const chain = Array.from({ length: 20_000 }, (_, at) => `{% set a${at + 1} = a${at} %}`).join("")
    const loops = "{% for m in a20000 %}{% for c in m.content %}{% endfor %}{% endfor %}".repeat(2_000)
    expect(contentFormatOf(compile(`{% set a0 = messages %}${chain}${loops}`))).toBe("openai")
  })

  const formats: ReadonlyArray<readonly [string, ContentFormat]> = [
    ["{% for m in messages %}{{ m.content }}{% endfor %}", "string"],
    ["{% for m in messages %}{% for c in m.content %}{{ c.text }}{% endfor %}{% endfor %}", "openai"],
    ["{% for m in messages %}{% for c in m['content'] | selectattr('type') %}{% endfor %}{% endfor %}", "openai"],
    [
      "{% set loop_messages = messages[1:] %}{% for m in loop_messages %}{% for c in m['content'] %}{% endfor %}{% endfor %}",
      "openai"
    ],
    [
      "{% if tools %}{% for m in messages %}{% if m.content is string %}{% else %}{% for c in m.content %}{% endfor %}{% endif %}{% endfor %}{% endif %}",
      "either"
    ],
    ["{% for m in messages %}{% for c in m.tool_calls %}{% endfor %}{% endfor %}", "string"],
    ["{% for d in documents %}{% for c in d.content %}{% endfor %}{% endfor %}", "string"],
    [
      "{% macro show(m) %}{% for c in m.content %}{% endfor %}{% endmacro %}{% for m in messages %}{{ show(m) }}{% endfor %}",
      "openai"
    ]
  ]
  for (const [source, format] of formats)
    it(`${format}: ${source.slice(0, 80)}`, () => expect(contentFormatOf(compile(source))).toBe(format))
})
