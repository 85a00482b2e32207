import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import type { CliError } from "../../src/cli/cliError.ts"
import type { Io } from "../../src/cli/io.ts"
import { run } from "../../src/cli/pool.ts"
import type { PoolCommand } from "../../src/cli/poolFlags.ts"
import { poolingFolder } from "../support/poolingGolden.ts"

const call = async (command: PoolCommand, args: ReadonlyArray<string>) => {
  let out = ""
  let err = ""
  const io: Io = {
    out: {
      write: async (text) => {
        out += text
      }
    },
    outIsTerminal: false,
    err: (text) => {
      err += text
    },
    errIsTerminal: false,
    readInput: async () => "from a file\n\nand another\n"
  }
  const code = await Effect.runPromise(
    run(command, args, io).pipe(
      Effect.catchAll((error: CliError | { message: string }) => Effect.succeed(error.message))
    )
  )
  return {
    code,
    out,
    err,
    rows: () =>
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}
const on = (name: string) => ["--model", poolingFolder(name), "--device", "reference"]

describe("the pooling commands", () => {
  it("embed writes one JSON line for each text, in their order", async () => {
    const { code, rows } = await call("embed", [
      ...on("qwen3-embed"),
      "--json",
      "--dimensions",
      "8",
      "--file",
      "-",
      "first"
    ])
    expect(code).toBe(0)
    expect(rows().map(({ text }) => text)).toEqual(["first", "from a file", "and another"])
    for (const { embedding } of rows()) expect(Math.hypot(...(embedding as Array<number>))).toBeCloseTo(1, 6)
    expect((rows()[0]!.embedding as Array<number>).length).toBe(8)
  })

  it("classify writes a table with the labels' names", async () => {
    const { code, out } = await call("classify", [...on("qwen2-seqcls"), "a text"])
    expect(code).toBe(0)
    expect(out).toMatch(/^LABEL_0:\s+0\.\d{6} {2}LABEL_1:\s+0\.\d{6} {2}a text\n$/)
  })

  it("score compares a query with each text, and the best has most", async () => {
    const { rows } = await call("score", [...on("qwen3-embed"), "--json", "the mill", "quite another", "the mill"])
    const [other, same] = rows().map(({ score }) => score as number)
    expect(same).toBeCloseTo(1, 6)
    expect(other).toBeLessThan(same!)
  })

  it("says what went wrong with a text, goes on, and ends with 1", async () => {
    const { code, err, rows } = await call("embed", [
      ...on("qwen3-embed"),
      "--json",
      "--max-model-len",
      "8",
      "short",
      "a ".repeat(40)
    ])
    // Sentence Transformers' own length cuts: only a text of too many tokens without it fails.
    expect([code, err, rows().length]).toEqual([0, "", 2])
    const failed = await call("classify", [
      ...on("qwen2-seqcls"),
      "--json",
      "--max-model-len",
      "8",
      "short",
      "a ".repeat(40)
    ])
    expect(failed.code).toBe(1)
    expect(failed.err).toMatch(/^Text 2: The prompt has/)
    expect(failed.rows()[1]).toMatchObject({ error: "PromptTooLong" })
  })

  it("names a wrong method, a wrong flag and what is missing", async () => {
    expect((await call("classify", [...on("qwen3-embed"), "a"])).err).toMatch(
      /cannot classify; it can encode, embed, score/
    )
    expect((await call("embed", ["--dimension", "8"])).code).toMatch(/Did you mean --dimensions/)
    expect((await call("score", [...on("qwen3-embed"), "alone"])).code).toMatch(/a query and one text/)
    expect((await call("embed", [...on("qwen3-embed"), "--dimensions", "0", "a"])).code).toMatch(/dimensions/)
  })

  it.each(["embed", "classify", "score"] as const)("%s --help comes from the Schemas", async (command) => {
    const { code, out } = await call(command, ["--help"])
    expect(code).toBe(0)
    for (const flag of ["--truncate-prompt-tokens", "--override-pooler-config", "--json", "--dtype"])
      expect(out).toContain(flag)
    expect(out.includes("--chat-template")).toBe(command === "score")
  })
})
