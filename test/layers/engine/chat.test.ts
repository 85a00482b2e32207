import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { ChatRequest } from "../../../src/domain/request/generateRequest.ts"
import type { ChatDelta } from "../../../src/domain/request/outputs.ts"
import { Engine, LLM } from "../../../src/index.ts"
import type { LayerNullOptions } from "../../../src/layers/compose/null.ts"
import { endOfText } from "../../../src/layers/engine/null/bytesTokenizer.ts"

const call = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>'
const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object" } } }]
const messages: ChatRequest["messages"] = [{ role: "user", content: "Weather?" }]
const params = { maxTokens: 200 }

/** An engine whose replies are this text, a byte a token. */
const saying = (text: string, options: LayerNullOptions = {}) => {
  const reply = [...Buffer.from(text), endOfText]
  return Engine.layerNull({ script: (_prompt, index) => reply[index] ?? endOfText, plainChats: true, ...options })
}
const collect = (request: ChatRequest) => Effect.map(Stream.runCollect(Engine.chat(request)), Chunk.toReadonlyArray)
const facade = (layer: Layer.Layer<Engine, unknown>) =>
  Effect.acquireRelease(
    Effect.promise(() => LLM.fromLayer(layer)),
    (llm) => Effect.promise(() => llm.close())
  )
const joined = (deltas: ReadonlyArray<ChatDelta>, type: ChatDelta["type"]) =>
  deltas.map((delta) => (delta.type === type && "delta" in delta ? delta.delta : "")).join("")

describe("a chat with tools", () => {
  it.live("streams the call that its whole reply has", () =>
    Effect.gen(function* () {
      const deltas = yield* collect({ messages, tools, params })
      const { outputs, prompt } = yield* Engine.completeChat({ messages, tools, params })
      assert.match(prompt ?? "", /get_weather.*\nuser: Weather\?\nassistant:$/)
      const [output] = outputs
      assert.strictEqual(output?.text, "One moment. ")
      assert.strictEqual(output?.finishReason, "stop")
      const [only] = output?.toolCalls ?? []
      assert.match(only?.id ?? "", /^call_[0-9a-f]{24}$/)
      assert.deepStrictEqual([only?.name, only?.arguments], ["get_weather", '{"city": "Paris"}'])
      assert.strictEqual(joined(deltas, "text-delta"), output?.text)
      assert.strictEqual(joined(deltas, "tool-params-delta"), only?.arguments)
      assert.deepStrictEqual(
        deltas.slice(-2).map(({ type }) => type),
        ["tool-params-end", "finish"]
      )
      const ids = new Set(deltas.flatMap((delta) => ("id" in delta ? [delta.id] : [])))
      assert.strictEqual(ids.size, 1)
    }).pipe(Effect.provide(saying(`One moment. ${call}`, { toolCallParser: "hermes" })))
  )

  it.live("reads no calls where there are no tools, or toolChoice is none", () =>
    Effect.gen(function* () {
      for (const request of [
        { messages, params },
        { messages, params, tools, toolChoice: "none" }
      ]) {
        const { outputs } = yield* Engine.completeChat(request)
        assert.deepStrictEqual([outputs[0]?.text, outputs[0]?.toolCalls], [call, []])
      }
    }).pipe(Effect.provide(saying(call, { toolCallParser: "hermes" })))
  )

  it.live("gives each of its calls an id of its own, short ones for Mistral", () =>
    Effect.gen(function* () {
      const { outputs } = yield* Engine.completeChat({ messages, tools, params })
      const ids = outputs[0]?.toolCalls?.map(({ id }) => id) ?? []
      for (const id of ids) assert.match(id, /^[a-zA-Z0-9]{9}$/)
      assert.strictEqual(new Set(ids).size, 2)
    }).pipe(Effect.provide(saying("[TOOL_CALLS]a{}[TOOL_CALLS]a{}", { toolCallParser: "mistral" })))
  )

  it.live("cut off inside a call, gives what there was of it and no end", () =>
    Effect.gen(function* () {
      const short = { maxTokens: call.indexOf("Par") + 3 }
      const deltas = yield* collect({ messages, tools, params: short })
      assert.deepStrictEqual(
        deltas.slice(-2).map(({ type }) => type),
        ["tool-params-delta", "finish"]
      )
      const { outputs } = yield* Engine.completeChat({ messages, tools, params: short })
      assert.strictEqual(outputs[0]?.finishReason, "length")
      assert.strictEqual(outputs[0]?.toolCalls?.[0]?.arguments, '{"city": "Par')
    }).pipe(Effect.provide(saying(call, { toolCallParser: "hermes" })))
  )

  it.live("reads each of its replies by itself", () =>
    Effect.gen(function* () {
      const request = { messages, tools, params: { ...params, n: 3 } }
      const { outputs } = yield* Engine.completeChat(request)
      const deltas = yield* collect(request)
      assert.strictEqual(outputs.length, 3)
      for (const { index, text, toolCalls } of outputs) {
        assert.deepStrictEqual([text, toolCalls?.map((each) => each.arguments)], ["Now. ", ['{"city": "Paris"}']])
        const own = deltas.filter((delta) => delta.index === index)
        assert.strictEqual(joined(own, "text-delta"), text)
        assert.strictEqual(joined(own, "tool-params-delta"), '{"city": "Paris"}')
        assert.strictEqual(own.filter(({ type }) => type === "finish").length, 1)
      }
      const ids = [outputs.flatMap(({ toolCalls = [] }) => toolCalls), deltas].flat()
      assert.strictEqual(new Set(ids.flatMap((each) => ("id" in each ? [each.id] : []))).size, 6)
    }).pipe(Effect.provide(saying(`Now. ${call}`, { toolCallParser: "hermes" })))
  )

  it.live("tells reasoning apart", () =>
    Effect.gen(function* () {
      const { outputs } = yield* Engine.completeChat({ messages, tools, params })
      const [output] = outputs
      assert.deepStrictEqual([output?.reasoning, output?.text, output?.toolCalls?.length], ["Hm.", "Here.", 1])
      const deltas = yield* collect({ messages, tools, params })
      assert.strictEqual(joined(deltas, "reasoning-delta"), "Hm.")
    }).pipe(
      Effect.provide(
        saying(`<think>\nHm.\n</think>\n\nHere.${call}`, { toolCallParser: "hermes", reasoningParser: "qwen3" })
      )
    )
  )
})

describe("a reply that goes on with a message", () => {
  it.live("stands in the reasoning that the message has begun", () =>
    Effect.gen(function* () {
      const begun = [...messages, { role: "assistant", content: "<think>Well" }] as unknown as ChatRequest["messages"]
      const options = { continueFinalMessage: true, addGenerationPrompt: false }
      const { outputs } = yield* Engine.completeChat({ messages: begun, params, ...options })
      assert.deepStrictEqual([outputs[0]?.reasoning, outputs[0]?.text], [", so.", "Yes."])
    }).pipe(Effect.provide(saying(", so.</think>Yes.", { reasoningParser: "qwen3" })))
  )
})

describe("LLM.streamChat", () => {
  it.scopedLive("gives the deltas, and lets go when its reader breaks off", () =>
    Effect.gen(function* () {
      const llm = yield* facade(saying("abc".repeat(500)))
      const seen = yield* Effect.promise(async () => {
        let text = ""
        for await (const delta of llm.streamChat(messages, { maxTokens: 1000 })) {
          if (delta.type === "text-delta") text += delta.delta
          if (text.length >= 6) break
        }
        return text
      })
      assert.isTrue("abcabcabcabc".startsWith(seen.slice(0, 6)))
      yield* Effect.promise(async () => {
        for (let turn = 0; turn < 500; turn++) {
          const { running, waiting, kvBlocksFree, kvBlocksTotal } = await llm.getMetrics()
          if (running + waiting === 0 && kvBlocksFree === kvBlocksTotal) return
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
        assert.fail("the request went on")
      })
    })
  )

  it.scopedLive("throws the signal's reason", () =>
    Effect.gen(function* () {
      const llm = yield* facade(saying("abc".repeat(500)))
      const reason = new Error("enough")
      const thrown = yield* Effect.promise(async () => {
        const controller = new AbortController()
        try {
          const { signal } = controller
          for await (const _ of llm.streamChat(messages, { maxTokens: 1000 }, { signal })) controller.abort(reason)
        } catch (error) {
          return error
        }
      })
      assert.strictEqual(thrown, reason)
    })
  )
})

describe("a chat that cannot be", () => {
  const refusals: ReadonlyArray<readonly [unknown, string, RegExp?]> = [
    [{ messages, toolChoice: "required" }, "toolChoice", /no tools/],
    [{ messages, tools, toolChoice: "get_time" }, "toolChoice", /"get_weather"/],
    [{ messages, tools, toolChoice: { type: "function", function: {} } }, "toolChoice"],
    [{ messages, tools, toolChoice: 7 }, "toolChoice", /"required"/],
    [{ messages, tools: [{ type: "function", function: {} }] }, "tools[0].function.name"],
    [{ messages, tools: [...tools, { description: "?" }] }, "tools[1].name"],
    [{ messages, tools: ["get_weather"] }, "tools[0]"],
    [{ messages, tools: [{ name: "f", parameters: "none" }] }, "tools[0].parameters"],
    [{ messages, tools, toolChoice: "required", params: { structuredOutputs: { regex: "a" } } }, "structuredOutputs"],
    [{ messages, params: { temperature: -1 } }, "temperature"],
    [{ messages, toolchoice: "auto" }, "toolchoice", /toolChoice/]
  ]
  it.live("is refused by name, streamed or whole", () =>
    Effect.gen(function* () {
      for (const [given, field, says] of refusals)
        for (const ask of [Effect.asVoid(collect(given as ChatRequest)), Engine.completeChat(given as ChatRequest)]) {
          const error = yield* Effect.flip(Effect.asVoid(ask))
          assert.strictEqual(error._tag, "InvalidRequest")
          if (error._tag === "InvalidRequest") assert.strictEqual(error.field, field)
          if (says !== undefined) assert.match(error.message, says)
        }
    }).pipe(Effect.provide(saying("")))
  )

  it.effect("an unknown parser is InvalidOptions that names those there are", () =>
    Effect.gen(function* () {
      const options = { toolCallParser: "pythonic" } as unknown as LayerNullOptions
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Engine.layerNull(options))))
      assert.strictEqual(error._tag, "InvalidOptions")
      assert.match(error.message, /toolCallParser.*"hermes" or "llama3_json" or "mistral" or "json" or "none"/)
    })
  )
})
