import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { buildMain } from "../support/built.ts"
import { tempFolder } from "../support/checkpoints.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

const model = ["--model", "models/brook"]
// The interpreter answers like the CPU; it is what runs where no compiler was found.
const device = nativeBuilt() ? "cpu" : "reference"
let main = ""
beforeAll(() => {
  main = buildMain()
})

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

const start = (...args: ReadonlyArray<string>): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [main, ...args], { env: { ...process.env, NODE_NO_WARNINGS: "1", HF_HUB_OFFLINE: "1" } })

const ended = async (child: ChildProcessWithoutNullStreams): Promise<Ended> => {
  let out = ""
  let err = ""
  child.stdout.on("data", (chunk) => {
    out += chunk
  })
  child.stderr.on("data", (chunk) => {
    err += chunk
  })
  const [code, signal] = await once(child, "close")
  return { code, signal, out, err }
}
const millrace = (...args: ReadonlyArray<string>) => ended(start(...args))
const generate = (...args: ReadonlyArray<string>) => millrace("generate", ...model, "--device", device, ...args)

describe("millrace", () => {
  it("answers a prompt as a user's message and ends with tokens and tokens/s", async () => {
    const { code, out, err } = await generate("Tell me a story about a fox", "--temperature", "0")
    expect(err).toMatch(/^\d+ tokens, [\d.]+ tokens\/s\n$/)
    expect(out).toMatch(/fox/)
    expect(out.endsWith("\n")).toBe(true)
    expect(code).toBe(0)
  })

  it("continues a raw prompt, and says the same twice for one seed", async () => {
    const ask = () => generate("Once upon a time", "--raw", "--seed", "5", "--max-tokens", "12", "--json")
    const [first, second] = await Promise.all([ask(), ask()])
    expect(first.out).not.toBe("")
    const text = ({ out }: Ended) => JSON.parse(out).outputs[0].text
    expect(text(first)).toBe(text(second))
    expect(JSON.parse(first.out)).toMatchObject({ prompt: "Once upon a time", outputs: [{ finishReason: "length" }] })
  })

  it("puts a prompt into the template of the line", async () => {
    const template = ["--chat-template", "Once upon {{ what }}", "--chat-template-kwargs", '{"what": "a time"}']
    const flags = ["--max-tokens", "1", "--json"]
    const [templated, raw] = await Promise.all([
      generate("unseen", ...template, ...flags),
      generate("Once upon a time", "--raw", ...flags)
    ])
    const ids = ({ out }: Ended): Array<number> => JSON.parse(out).promptTokenIds
    expect(ids(templated).length).toBeGreaterThan(2)
    expect(ids(raw).slice(-ids(templated).length)).toEqual(ids(templated))
  })

  it("answers a file of prompts in its order, whatever runs at once", async () => {
    const file = join(tempFolder(), "prompts.txt")
    const prompts = ["What is a fox?", "Tell me a story about a bird", "Hello!", "Tell me about rain"]
    writeFileSync(file, prompts.join("\n"))
    const flags = ["--json", "--temperature", "0", "--max-tokens", "20"]
    const { out } = await generate("--file", file, ...flags)
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(lines.map((line) => line.prompt)).toEqual(prompts)
    const alone = await generate(prompts[1]!, ...flags)
    expect(lines[1].outputs[0].tokenIds).toEqual(JSON.parse(alone.out).outputs[0].tokenIds)
  })

  it.each([
    [["generate", "--model", "models/none", "Hi"], 1, "No model at models/none: no such folder"],
    [["generate", ...model, "--max-model-len", "1e9", "Hi"], 2, "maxModelLen"],
    [["generate", ...model, "--max-tokn", "5", "Hi"], 2, "Did you mean --max-tokens?"],
    [["generate", ...model], 2, "There is no prompt"],
    [["generate", "Hi"], 2, "Give model."],
    [["inspect"], 2, "Give one checkpoint folder"],
    [["inspect", "models/brook", "--section", "weights"], 2, "There is no section weights"],
    [["brew"], 2, "There is no command brew"],
    [[], 2, "There is no command."]
  ])("answers %j with exit code %i and a sentence", async (args, code, message) => {
    const result = await millrace(...args)
    expect(result.err).toContain(message)
    expect(result.out).toBe("")
    expect(result.code).toBe(code)
  })

  it("goes on with the other prompts when one cannot be served", async () => {
    const { code, out, err } = await generate("fox ".repeat(3000), "Hello!", "--raw", "--max-tokens", "3", "--json")
    expect(err).toMatch(/Prompt 1: The prompt has \d+ tokens; this engine holds 1024/)
    expect(out.trim().split("\n")).toHaveLength(2)
    expect(code).toBe(1)
  })

  it("ends at once on Ctrl-C in the middle of a reply, with what was written before", async () => {
    const child = start("generate", ...model, "--device", device, "--raw", "--ignore-eos", "Once", "--file", "-")
    const result = ended(child)
    child.stdin.end("Twice\n".repeat(200))
    await once(child.stdout, "data")
    child.kill("SIGINT")
    const { code, signal, out, err } = await result
    expect({ code, signal }).toEqual({ code: 130, signal: null })
    expect(out).toContain("Once")
    expect(err).not.toContain("tokens/s")
  })

  it("holds a conversation over a pipe, and keeps it in a file", async () => {
    const file = join(tempFolder(), "chat.json")
    const child = start("chat", ...model, "--device", device, "--temperature", "0", "--system", "Be kind.")
    const result = ended(child)
    child.stdin.end(`Hello!\nTell me a story about a fox\n/save ${file}\n`)
    const { code, out } = await result
    const { messages } = JSON.parse(readFileSync(file, "utf8"))
    expect(messages.map(({ role }: { role: string }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
      "assistant"
    ])
    expect(out).toBe(`${messages[2].content}\n${messages[4].content}\n`)
    expect(messages[4].content).toMatch(/fox/)
    expect(code).toBe(0)
  })

  it("stops a reply on Ctrl-C and keeps the session", async () => {
    const file = join(tempFolder(), "chat.json")
    const child = start("chat", ...model, "--device", device, "--ignore-eos", "--temperature", "0")
    const result = ended(child)
    child.stdin.write("Tell me a story about a fox\n")
    await once(child.stdout, "data")
    child.kill("SIGINT")
    child.stdin.end(`/save ${file}\n`)
    expect(await result).toMatchObject({ code: 0, signal: null })
    const { messages } = JSON.parse(readFileSync(file, "utf8"))
    expect(messages[0]).toEqual({ role: "user", content: "Tell me a story about a fox" })
  })

  it("leaves a chat at once on Ctrl-C while it waits", async () => {
    const child = start("chat", ...model, "--device", device, "--temperature", "0")
    const result = ended(child)
    child.stdin.write("Hello!\n")
    await new Promise<void>((resolve) => child.stdout.on("data", (text) => String(text).endsWith("\n") && resolve()))
    child.kill("SIGINT")
    expect(await result).toMatchObject({ code: 130, signal: null })
  })

  it("ends quietly when its reader goes away", async () => {
    const child = start("generate", ...model, "--device", device, "--raw", "--ignore-eos", "Once", "And then")
    const result = ended(child)
    await once(child.stdout, "data")
    child.stdout.destroy()
    const { code, err } = await result
    expect(err).not.toMatch(/Error|at .*\.js/)
    expect(code).toBe(0)
  })

  it("inspects a checkpoint: facts, memory, graph and plan", async () => {
    const { code, out } = await millrace("inspect", "models/brook", "--device", device, "--max-model-len", "512")
    expect(code).toBe(0)
    expect(out).toMatch(/architecture +LlamaForCausalLM/)
    expect(out).toMatch(/context +512 of 1,024 tokens/)
    expect(out).toMatch(/KV per token +3,072 bytes/)
    expect(out).toContain("# graph\ngraph LlamaForCausalLM bfloat16")
    expect(out).toContain("# plan\n")
    const json = await millrace("inspect", "models/brook", "--device", device, "--json")
    expect(JSON.parse(json.out)).toMatchObject({ parameters: 4951296, chatTemplate: true, blockSize: 16 })
    const plan = await millrace("inspect", "models/brook", "--device", device, "--section", "plan")
    expect(plan.out.startsWith("# plan\n")).toBe(true)
  })

  it("explains each command and says its version", async () => {
    expect((await millrace("--help")).out).toMatch(/generate.*\n.*chat.*\n(.*\n)*.*inspect/)
    expect((await millrace("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    for (const command of ["generate", "chat", "embed", "classify", "score", "inspect"])
      expect((await millrace(command, "--help")).out).toContain("--max-model-len <a whole number of at least 2>")
  })
})
