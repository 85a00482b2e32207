import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { detectToolCallParser } from "../../../src/domain/tools/formats.ts"
import { chooseParsers, planReading } from "../../../src/domain/tools/reading.ts"
import { detectReasoningParser } from "../../../src/domain/tools/reasoningScanner.ts"

describe("parsers", () => {
  it.each([
    ['{{- "<tool_call>" }}', "hermes"],
    ['{{ "[TOOL_CALLS] [" }}', "mistral"],
    ['{{ "<|start_header_id|>" + role }}', "llama3_json"],
    ["<tool_call>\n<function=", undefined],
    ["{{ message.content }}", undefined]
  ])("%j teaches %s", (template, parser) => expect(detectToolCallParser(template)).toBe(parser))

  it.each([
    ["{% if '</think>' in content %}", "qwen3"],
    ["{{ content }}", undefined]
  ])("%j reasons as %s", (template, parser) => expect(detectReasoningParser(template)).toBe(parser))

  it("given by name, win over the template's", () => {
    expect(chooseParsers({ toolCallParser: "json" }, "<tool_call> </think>")).toEqual({
      toolCallParser: "json",
      reasoningParser: "qwen3"
    })
  })
})

const weather = {
  name: "get_weather",
  parameters: { type: "object", properties: { at: { $ref: "#/$defs/city" } }, $defs: { city: { type: "string" } } }
}
const clock = { type: "function", function: { name: "clock" } }
const schemaOf = (tools: ReadonlyArray<unknown>, toolChoice: string) =>
  Either.getOrThrow(planReading({ tools, toolChoice, structured: false, parsers: {} })).schema

describe("the schema of a reply that must call", () => {
  it("a named tool: its parameters", () => {
    expect(schemaOf([weather, clock], "get_weather")).toBe(weather.parameters)
    expect(schemaOf([weather, clock], "clock")).toEqual({ type: "object", properties: {}, additionalProperties: false })
  })

  it("any tool: a list of calls, whose references still lead to where they led", () => {
    const schema = schemaOf([weather, clock], "required") as { items: { anyOf: ReadonlyArray<unknown> } }
    expect(schema).toMatchObject({ type: "array", minItems: 1 })
    expect(schema.items.anyOf[0]).toMatchObject({
      properties: {
        name: { enum: ["get_weather"] },
        parameters: { properties: { at: { $ref: "#/items/anyOf/0/properties/parameters/$defs/city" } } }
      },
      required: ["name", "parameters"]
    })
    expect(schemaOf([weather], "required")).toMatchObject({
      items: {
        properties: { parameters: { properties: { at: { $ref: "#/items/properties/parameters/$defs/city" } } } }
      }
    })
  })

  it("none, where it may call", () => expect(schemaOf([weather], "auto")).toBeUndefined())
})
