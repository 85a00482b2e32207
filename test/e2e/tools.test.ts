import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ChatDelta, LLM } from "../../src/index.ts"

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Get the weather in a city",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
    }
  }
]
const params = { temperature: 0, maxTokens: 100 }
type Message = Readonly<Record<string, unknown>>

/** What an application gathers from a stream: the message to put into the conversation. */
const gather = async (deltas: AsyncIterable<ChatDelta>) => {
  const calls: Array<{ id: string; type: "function"; function: { name: string; arguments: string } }> = []
  const seen: Array<ChatDelta["type"]> = []
  let content = ""
  for await (const delta of deltas) {
    if (seen.at(-1) !== delta.type) seen.push(delta.type)
    if (delta.type === "text-delta") content += delta.delta
    else if (delta.type === "tool-params-start")
      calls.push({ id: delta.id, type: "function", function: { name: delta.name, arguments: "" } })
    else if (delta.type === "tool-params-delta") calls.at(-1)!.function.arguments += delta.delta
  }
  const message: Message = { role: "assistant", content, ...(calls.length === 0 ? {} : { tool_calls: calls }) }
  return { content, calls, seen, message }
}

const model = new URL("../../models/brook", import.meta.url).pathname

/** Brook with tool markers that are special tokens, as in Mistral's and some other checkpoints. */
const withSpecialMarkers = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-tools-"))
  for (const file of readdirSync(model))
    if (file !== "tokenizer.json") symlinkSync(join(model, file), join(folder, file))
  const tokenizer = JSON.parse(readFileSync(join(model, "tokenizer.json"), "utf8"))
  for (const token of tokenizer.added_tokens) token.special = true
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer))
  return folder
}

describe("Brook with a tool", () => {
  let llm: LLM
  beforeAll(async () => {
    llm = await LLM.create({ model, device: "cpu" })
  })
  afterAll(() => llm.close())

  it("talks, calls it, and answers from its result, streamed", async () => {
    const messages: Array<Message> = [{ role: "system", content: "You are Brook, a helpful assistant." }]
    const ask = async (message: Message) => {
      messages.push(message)
      const reply = await gather(llm.streamChat(messages, params, { tools }))
      messages.push(reply.message)
      return reply
    }
    expect((await ask({ role: "user", content: "My name is Ada." })).content).toBe("Nice to meet you, Ada!")
    expect((await ask({ role: "user", content: "What is 3 plus 4?" })).content).toBe("3 + 4 = 7.")

    const { content, calls, seen } = await ask({ role: "user", content: "What is the weather in Paris?" })
    expect(content).toBe("")
    expect(seen).toEqual(["tool-params-start", "tool-params-delta", "tool-params-end", "finish"])
    const [call] = calls
    expect(call?.function.name).toBe("get_weather")
    expect(JSON.parse(call!.function.arguments)).toEqual({ city: "Paris" })

    const result = JSON.stringify({ weather: "rainy", temperature: 12 })
    const answer = await ask({ role: "tool", tool_call_id: call!.id, content: result })
    expect(answer.content).toBe("It is rainy in Paris, with 12 degrees.")
    expect(answer.seen).toEqual(["text-delta", "finish"])
  })

  it("gives the same call whole", async () => {
    const [output] = await llm.chat([{ role: "user", content: "What is the weather in Paris?" }], params, { tools })
    const { text, toolCalls, finishReason } = output!.outputs[0]!
    expect([text, finishReason]).toEqual(["", "stop"])
    expect(toolCalls).toMatchObject([{ name: "get_weather", arguments: '{"city": "Paris"}' }])
  })

  it("leaves the call in the text where toolChoice is none", async () => {
    const [output] = await llm.chat([{ role: "user", content: "What is the weather in Paris?" }], params, {
      tools,
      toolChoice: "none"
    })
    expect(output!.outputs[0]!.toolCalls).toEqual([])
    expect(output!.outputs[0]!.text).toBe(
      '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>'
    )
  })

  it("calls where it must, whatever it is told: a list of calls, or one tool's arguments", async () => {
    const clock = { type: "function", function: { name: "get_time" } }
    const messages = [{ role: "user", content: "What is the weather in Paris?" }]
    const offered = { tools: [clock, ...tools] }
    const any = await gather(llm.streamChat(messages, params, { ...offered, toolChoice: "required" }))
    expect(any.content).toBe("")
    expect(any.calls.length).toBeGreaterThan(0)
    for (const { function: called } of any.calls) {
      expect(["get_time", "get_weather"]).toContain(called.name)
      expect(JSON.parse(called.arguments)).toBeTypeOf("object")
    }
    const named = await gather(llm.streamChat(messages, params, { ...offered, toolChoice: "get_time" }))
    expect(named.calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)])).toEqual([
      ["get_time", {}]
    ])
    const [whole] = await llm.chat(messages, params, { ...offered, toolChoice: "required" })
    expect(whole!.outputs[0]!.toolCalls!.map((call) => call.arguments)).toEqual(
      any.calls.map((call) => call.function.arguments)
    )
  })

  it("names the tool whose schema cannot be served", async () => {
    const wrong = { type: "function", function: { name: "f", parameters: { type: "objet" } } }
    const ask = (toolChoice: string, offered: ReadonlyArray<unknown>) =>
      llm
        .chat([{ role: "user", content: "?" }], params, { tools: offered, toolChoice })
        .catch((error: unknown) => error)
    for (const error of [await ask("required", [...tools, wrong]), await ask("f", [...tools, wrong])])
      expect(error).toMatchObject({
        _tag: "InvalidRequest",
        field: "tools[1].function.parameters#/type",
        given: '"objet"'
      })
    expect(await ask("required", [wrong])).toMatchObject({ field: "tools[0].function.parameters#/type" })
  })

  it("says by what it reads replies", () => expect(llm.model.toolCallParser).toBe("hermes"))

  it("reads calls whose markers are special tokens, and leaves those out of text", async () => {
    const folder = withSpecialMarkers()
    const other = await LLM.create({ model: folder, device: "cpu" })
    try {
      const messages = [{ role: "user", content: "What is the weather in Paris?" }]
      const [output] = await other.chat(messages, params, { tools })
      expect(output!.outputs[0]!.toolCalls).toMatchObject([{ name: "get_weather", arguments: '{"city": "Paris"}' }])
      const { content, calls } = await gather(other.streamChat(messages, params, { tools, toolChoice: "none" }))
      expect([content, calls]).toEqual(['{"name": "get_weather", "arguments": {"city": "Paris"}}', []])
    } finally {
      await other.close()
      rmSync(folder, { recursive: true })
    }
  })
})
