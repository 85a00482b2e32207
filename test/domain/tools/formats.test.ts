import { describe, expect, it } from "vitest"
import { callFormats, type ToolCallParser } from "../../../src/domain/tools/formats.ts"
import { cases, json, other } from "./cases.ts"
import { deltasOf, whole } from "./scan.ts"

const weather = { name: "get_weather", arguments: '{"city": "Paris"}' }
const time = { name: "get_time", arguments: '{"city":"Oslo"}' }

describe.each(Object.keys(callFormats) as Array<ToolCallParser>)("the format %s", (toolCallParser) => {
  it.each(cases[toolCallParser])("reads %j", (text, message) => {
    expect(whole(text, { toolCallParser })).toMatchObject(message)
  })
})

describe("streamed", () => {
  const types = (pieces: ReadonlyArray<string>, toolCallParser: ToolCallParser) =>
    deltasOf(pieces, { toolCallParser }).map((delta) =>
      "delta" in delta ? `${delta.type} ${delta.delta}` : "name" in delta ? `${delta.type} ${delta.name}` : delta.type
    )

  it("gives arguments out as they come", () => {
    const pieces = ["Ok <", "b>. <tool_", 'call>{"name": "get_', 'weather", "arg', 'uments": {"ci', 'ty": "Par', 'is"}']
    expect(types([...pieces, "}</tool_call>"], "hermes")).toEqual([
      "text-delta Ok ",
      "text-delta <b>. ",
      "tool-params-start get_weather",
      'tool-params-delta {"ci',
      'tool-params-delta ty": "Par',
      'tool-params-delta is"}',
      "tool-params-end",
      "finish"
    ])
  })

  it("holds text back only while it could be a marker", () => {
    const pieces = ["a", "<", "t", "!", "[", "T", "x", "\n", "b"]
    const texts = ["a", "<t!", "[", "T", "x", "\n", "b"].map((text) => `text-delta ${text}`)
    expect(types(pieces, "hermes")).toEqual([...texts, "finish"])
  })

  it("ends no call that was cut off", () => {
    expect(types(['[TOOL_CALLS]get_time{"city": "Os'], "mistral")).toEqual([
      "tool-params-start get_time",
      'tool-params-delta {"city": "Os',
      "finish"
    ])
  })

  it("takes an id that the model wrote", () => {
    const [start] = deltasOf(["[TOOL_CALLS]get_time[CALL_ID]abcDEF123[ARGS]{}"], { toolCallParser: "mistral" })
    expect(start).toMatchObject({ type: "tool-params-start", id: "abcDEF123", name: "get_time" })
  })
})

describe("toolChoice", () => {
  it("required: a list of calls", () => {
    const read = whole(`[${other}, ${json}]`, { toolChoice: "required" })
    expect(read).toEqual({ text: "", reasoning: undefined, calls: [time, weather] })
    expect(whole('[{"name": "get_time", "param', { toolChoice: "required" }).calls).toEqual([])
  })

  it.each(["get_time", { type: "function", function: { name: "get_time" } } as const])(
    "%j: its arguments",
    (toolChoice) => {
      const options = { toolChoice, toolCallParser: "hermes", reasoningParser: "deepseek_r1" } as const
      expect(whole(' {"city":"Oslo"}\n', options)).toEqual({ text: "", reasoning: undefined, calls: [time] })
      const cut = deltasOf(['{"city', '":"'], options).map(({ type }) => type)
      expect(cut).toEqual(["tool-params-start", "tool-params-delta", "tool-params-delta", "finish"])
    }
  )

  it("none: text, whatever it looks like", () => {
    expect(whole(json, { toolChoice: "none", toolCallParser: "json" }).text).toBe(json)
  })
})
