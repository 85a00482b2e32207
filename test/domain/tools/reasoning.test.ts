import { describe, expect, it } from "vitest"
import type { ReasoningParser } from "../../../src/domain/tools/reasoningScanner.ts"
import { deltasOf, whole } from "./scan.ts"

const read = (text: string, reasoningParser: ReasoningParser, prompt = "") => {
  const { text: answer, reasoning, calls } = whole(text, { reasoningParser, prompt, toolCallParser: "hermes" })
  return [reasoning, answer, calls.length]
}

describe("qwen3", () => {
  it.each([
    ["<think>\nHm, hm.\n\nSo.\n</think>\n\nParis.\n", "Hm, hm.\n\nSo.", "Paris.\n"],
    ["\n<think>a < b</thin </think>b", "a < b</thin", "b"],
    ["<think>\n\n</think>\n\nParis.", undefined, "Paris."],
    ["Paris.", undefined, "Paris."],
    [" Paris <think>x</think>", undefined, " Paris <think>x</think>"],
    ["<think>Hm, and hm\n", "Hm, and hm", ""],
    ["<thi", undefined, "<thi"],
    ["<think>\n </th", "</th", ""],
    ["\n", undefined, "\n"]
  ])("reads %j", (text, reasoning, answer) => {
    expect(read(text, "qwen3")).toEqual([reasoning, answer, 0])
  })

  it("begins inside where the template has opened the reasoning", () => {
    expect(read("\nHm.</think>Paris.", "qwen3", "assistant\n<think>\n")).toEqual(["Hm.", "Paris.", 0])
  })

  it("finds none where the template has closed it", () => {
    const closed = "assistant\n<think>\n\n</think>\n\n"
    expect(read("<think>x", "qwen3", closed)).toEqual([undefined, "<think>x", 0])
    expect(read("Paris.", "deepseek_r1", closed)).toEqual([undefined, "Paris.", 0])
  })
})

describe("a reply that goes on with a message", () => {
  const goOn = (reasoningParser: ReasoningParser, continued: string, text: string) => {
    const { reasoning, text: answer } = whole(text, { reasoningParser, prompt: `assistant\n${continued}`, continued })
    return [reasoning, answer]
  }

  it("is inside the reasoning that the message has begun", () => {
    expect(goOn("qwen3", "<think>\nHm", ", so.</think>Paris.")).toEqual([", so.", "Paris."])
    expect(goOn("deepseek_r1", "Hm", ", so.</think>Paris.")).toEqual([", so.", "Paris."])
  })

  it("is in the answer that the message has begun", () => {
    expect(goOn("qwen3", "<think>Hm</think>The capital is", " Paris. <think>")).toEqual([undefined, " Paris. <think>"])
    expect(goOn("deepseek_r1", "Hm</think>It is", " Paris.")).toEqual([undefined, " Paris."])
    expect(goOn("qwen3", "It is", "<think>")).toEqual([undefined, "<think>"])
  })
})

describe("deepseek_r1", () => {
  it.each([
    ["Hm.\n</think>\n\nParis.", "Hm.", "Paris."],
    ["<think>\nHm.</think>Paris.", "Hm.", "Paris."],
    ["<b>Hm.</b></think>", "<b>Hm.</b>", ""],
    ["</think>Paris.", undefined, "Paris."],
    ["Hm, and", "Hm, and", ""]
  ])("reads %j", (text, reasoning, answer) => {
    expect(read(text, "deepseek_r1")).toEqual([reasoning, answer, 0])
  })
})

it("calls stand in the answer, not in the reasoning", () => {
  const call = '<tool_call>{"name": "f"}</tool_call>'
  expect(read(`<think>${call}?</think>\n${call}`, "qwen3")).toEqual([`${call}?`, "", 1])
})

it("reasoning comes as it is written", () => {
  const deltas = deltasOf(["<th", "ink>\nH", "m <", "b> \n", "so</", "think>\n", "\nPar", "is"], {
    reasoningParser: "qwen3"
  })
  expect(deltas.map((delta) => ("delta" in delta ? [delta.type, delta.delta] : [delta.type]))).toEqual([
    ["reasoning-delta", "H"],
    ["reasoning-delta", "m"],
    ["reasoning-delta", " <b>"],
    ["reasoning-delta", " \nso"],
    ["text-delta", "Par"],
    ["text-delta", "is"],
    ["finish"]
  ])
})
