import * as Either from "effect/Either"
import { ChatReader, readOutput } from "../../../src/domain/tools/chatReader.ts"
import type { ToolCallParser } from "../../../src/domain/tools/formats.ts"
import { planReading } from "../../../src/domain/tools/reading.ts"
import type { ReasoningParser } from "../../../src/domain/tools/reasoningScanner.ts"
import type { ToolChoice } from "../../../src/domain/tools/toolChoice.ts"

export const tools = ["get_weather", "get_time"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { city: { type: "string" } } } }
}))

export interface ScanOptions {
  readonly toolCallParser?: ToolCallParser
  readonly reasoningParser?: ReasoningParser
  readonly toolChoice?: ToolChoice
  readonly prompt?: string
  /** The message that the reply goes on with. */
  readonly continued?: string
}

/** Counts ids, so that two readings of one reply name their calls alike. */
const counter = () => {
  let count = 0
  return () => `call_${count++}`
}

const readingOf = ({ toolChoice, toolCallParser = "none", reasoningParser = "none" }: ScanOptions) =>
  Either.getOrThrow(planReading({ tools, toolChoice, structured: false, parsers: { toolCallParser, reasoningParser } }))

export interface Message {
  readonly text: string
  readonly reasoning: string | undefined
  readonly calls: ReadonlyArray<{ readonly name: string; readonly arguments: string }>
}

/** A whole reply as chat gives it. */
export const whole = (text: string, options: ScanOptions): Message => {
  const output = { index: 0, text, tokenIds: [], cumulativeLogprob: null, logprobs: null } as const
  const ended = { ...output, finishReason: "stop", stopReason: null } as const
  const read = readOutput(ended, readingOf(options).open(options.prompt ?? "", options.continued), counter())
  return {
    text: read.text,
    reasoning: read.reasoning,
    calls: read.toolCalls!.map((call) => ({ name: call.name, arguments: call.arguments }))
  }
}

/** The deltas of a reply that comes in these pieces, the end in one of its own. */
export const deltasOf = (pieces: ReadonlyArray<string>, options: ScanOptions) => {
  const reader = new ChatReader(() => readingOf(options).open(options.prompt ?? "", options.continued), counter())
  const delta = { requestId: "r", index: 0, tokenIds: [], finishReason: null, stopReason: null }
  return [
    ...pieces.flatMap((text) => reader.read({ ...delta, text })),
    ...reader.read({ ...delta, text: "", finishReason: "stop" })
  ]
}

/** The message that the deltas of a stream add up to; throws when they name a call that is not open. */
export const fold = (deltas: ReturnType<typeof deltasOf>): Message => {
  const calls: Array<{ name: string; arguments: string }> = []
  let text = ""
  let reasoning: string | undefined
  let open: string | undefined
  for (const delta of deltas) {
    if (delta.type === "text-delta") text += delta.delta
    else if (delta.type === "reasoning-delta") reasoning = (reasoning ?? "") + delta.delta
    else if (delta.type === "tool-params-start") {
      open = delta.id
      calls.push({ name: delta.name, arguments: "" })
    } else if (delta.type !== "finish") {
      if (delta.id !== open) throw new Error(`${delta.type} of ${delta.id} while ${open} is open`)
      if (delta.type === "tool-params-delta") calls.at(-1)!.arguments += delta.delta
      else open = undefined
    }
  }
  return { text, reasoning, calls }
}
