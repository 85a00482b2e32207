import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../../src/cli/generate.ts"
import type { Io } from "../../src/cli/io.ts"
import { layerNull } from "../../src/layers/compose/null.ts"
import { tempFolder } from "../support/checkpoints.ts"
import { capture } from "../support/cliIo.ts"

/** Every reply is `abc` and so on; the null engine has no template, so prompts are continued as they stand. */
const engine = () => layerNull({ script: (_, index) => 97 + index })
const generate = (args: ReadonlyArray<string>, io: Io) => run(["--model", "any", ...args], io, engine)

describe("millrace generate", () => {
  it.effect("writes a reply to stdout and its figures to stderr", () =>
    Effect.gen(function* () {
      const { io, written } = capture()
      expect(yield* generate(["hello", "--max-tokens", "4"], io)).toBe(0)
      expect(written.out).toBe("abcd\n")
      expect(written.err).toMatch(/^4 tokens, [\d.]+ tokens\/s\n$/)
    })
  )

  it.effect("writes to the end of the context unless it is told otherwise", () =>
    Effect.gen(function* () {
      const { io, written } = capture()
      yield* run(["--model", "any", "hello"], io, () => layerNull({ script: () => 97, maxModelLen: 50 }))
      expect(written.out).toBe(`${"a".repeat(45)}\n`)
    })
  )

  it.effect("answers arguments and the lines of a file in their order, each under its prompt", () =>
    Effect.gen(function* () {
      const file = join(tempFolder(), "prompts")
      writeFileSync(file, "two\n\n  \r\nthree\r\n")
      const { io, written } = capture()
      yield* generate(["one", "--file", file, "--max-tokens", "2"], io)
      expect(written.out).toBe("> one\nab\n\n> two\nab\n\n> three\nab\n\n")
      const input = capture({}, "x\ny\n")
      yield* generate(["--file", "-", "--max-tokens", "1", "--json"], input.io)
      expect(input.written.out.trim().split("\n")).toHaveLength(2)
    })
  )

  it.effect("writes one JSON object a line, in the prompts' order, failures included", () =>
    Effect.gen(function* () {
      const { io, written } = capture()
      const code = yield* generate(["one", "x".repeat(5000), "three", "--json", "--max-tokens", "2"], io)
      const lines = written.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      expect(lines[0]).toMatchObject({
        prompt: "one",
        outputs: [{ text: "ab", finishReason: "length" }],
        finished: true
      })
      expect(lines[1].error).toMatchObject({ _tag: "PromptTooLong" })
      expect(lines[2]).toMatchObject({ prompt: "three" })
      expect(written.err).toContain("Prompt 2: The prompt has 5000 tokens")
      expect(code).toBe(1)
    })
  )

  it.effect("draws a bar on a terminal for several replies only, and takes it away again", () =>
    Effect.gen(function* () {
      const several = capture({ outIsTerminal: true, errIsTerminal: true })
      yield* generate(["one", "two", "--max-tokens", "2"], several.io)
      expect(several.written.err).toContain("\r\x1b[2K")
      expect(several.written.out).toBe("> one\nab\n\n> two\nab\n\n")
      for (const args of [["one"], ["one", "two", "--no-progress"]]) {
        const quiet = capture({ outIsTerminal: true, errIsTerminal: true })
        yield* generate([...args, "--max-tokens", "2"], quiet.io)
        expect(quiet.written.err).not.toContain("\r")
      }
    })
  )

  it.live("searches beams when their width is given", () =>
    Effect.gen(function* () {
      const { io, written } = capture()
      const flags = ["--beam-width", "2", "--length-penalty", "0.5", "--max-tokens", "3", "--json", "--raw"]
      const brook = ["--device", "reference", "--max-model-len", "64", "--max-num-seqs", "8"]
      expect(yield* run(["--model", "models/brook", ...brook, ...flags, "Once upon a time"], io)).toBe(0)
      const { outputs, prompt } = JSON.parse(written.out)
      expect(outputs).toHaveLength(2)
      expect(outputs[0].cumulativeLogprob).toBeGreaterThanOrEqual(outputs[1].cumulativeLogprob)
      expect(prompt).toBe("Once upon a time")
      expect(written.err).toMatch(/^6 tokens/)
    })
  )

  it.effect.each([
    [["--max-tokens", "2"], "There is no prompt"],
    [["x", "--length-penalty", "2"], "Give --beam-width too"],
    [["x", "--beam-width", "2", "--top-p", "0.5"], "topP"],
    [["x", "--temperature", "nan"], 'temperature: given "nan"'],
    [["x", "--temperature", "9"], "temperature: given 9, expected a number from 0 to 2"],
    [["x", "--n", "0"], "n: given 0"],
    [["x", "--dtype", "int3"], "dtype"],
    [["--file", "/nowhere"], "cannot be read"]
  ] as const)("refuses %j before an engine is made", ([args, message]) =>
    Effect.gen(function* () {
      const { io, written } = capture()
      const never = () => {
        throw new Error("an engine was made")
      }
      const error = yield* Effect.flip(run(["--model", "any", ...args], io, never))
      expect(error.message).toContain(message)
      expect(written.out).toBe("")
    })
  )

  it.effect("explains itself without an engine or a prompt", () =>
    Effect.gen(function* () {
      const { io, written } = capture()
      expect(yield* run(["--help"], io)).toBe(0)
      expect(written.out).toContain("Usage: millrace generate")
    })
  )
})
