import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { callFormats, type ToolCallParser } from "../../../src/domain/tools/formats.ts"
import { type ReasoningParser, reasoningFormats } from "../../../src/domain/tools/reasoningScanner.ts"
import { cases } from "./cases.ts"
import { deltasOf, fold, type ScanOptions, whole } from "./scan.ts"

const replies = Object.values(cases).flatMap((list) => list.map(([text]) => text))
const fragments = [
  ...'<>{}[]"\\:,; \n',
  ..."<think> </think> <tool_call> </tool_call> [TOOL_CALLS] [ARGS] [CALL_ID] <|python_tag|> ```json ```".split(" "),
  '{"name": "get_time", ',
  '"arguments": {"a": ',
  '"arguments": "{\\"',
  "get_time{",
  "naïve 👋🏽",
  "}}"
]

/** Whole replies, damaged ones, and rubble of markers. */
const reply = FastCheck.array(
  FastCheck.oneof(
    FastCheck.constantFrom(...replies),
    FastCheck.tuple(FastCheck.constantFrom(...replies), FastCheck.nat(80)).map(([text, at]) => text.slice(0, at)),
    FastCheck.constantFrom(...fragments)
  ),
  { maxLength: 6 }
).map((parts) => parts.join(""))

const choices = [undefined, "required", "get_time"] as const
const options: FastCheck.Arbitrary<ScanOptions> = FastCheck.record({
  toolCallParser: FastCheck.constantFrom(...(Object.keys(callFormats) as Array<ToolCallParser>)),
  reasoningParser: FastCheck.constantFrom(...(Object.keys(reasoningFormats) as Array<ReasoningParser>)),
  choice: FastCheck.constantFrom(...choices),
  prompt: FastCheck.constantFrom("", "assistant\n<think>\n", "<think>\n\n</think>\n\n")
}).map(({ choice, ...rest }) => (choice === undefined ? rest : { ...rest, toolChoice: choice }))

/** The text cut at these places: anywhere, inside a character too. */
const cut = (text: string, places: ReadonlyArray<number>) => {
  const cuts = [0, ...places.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b)
  return cuts.slice(1).map((end, at) => text.slice(cuts[at], end))
}

const runs = { numRuns: 1500 }

describe("however a reply is cut into tokens", () => {
  it("its deltas add up to the message that the whole reply is", () => {
    FastCheck.assert(
      FastCheck.property(reply, FastCheck.array(FastCheck.nat(), { maxLength: 12 }), options, (text, places, how) => {
        expect(fold(deltasOf(cut(text, places), how))).toEqual(whole(text, how))
      }),
      runs
    )
  })

  it("character by character as well", () => {
    FastCheck.assert(
      FastCheck.property(reply, options, (text, how) => {
        expect(fold(deltasOf(text.split(""), how))).toEqual(whole(text, how))
      }),
      runs
    )
  })

  it("nested beginnings of calls cost what their length says", () => {
    const rubble = { mistral: '[TOOL_CALLS]{"a":[', json: '\n{"args":[' }
    for (const [toolCallParser, beginning] of Object.entries(rubble) as Array<["mistral" | "json", string]>) {
      const text = `${beginning.repeat(40_000)}${"x".repeat(70_000)}`
      expect(whole(text, { toolCallParser }).text).toBe(text)
    }
  })

  it("a reply without calls is its text, to the letter", () => {
    FastCheck.assert(
      FastCheck.property(reply, options, (text, how) => {
        const message = whole(text, { ...how, reasoningParser: "none" })
        if (message.calls.length === 0 && how.toolChoice !== "get_time") expect(message.text).toBe(text)
      }),
      runs
    )
  })
})
