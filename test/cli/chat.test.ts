import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../../src/cli/chat.ts"
import { type LayerNullOptions, layerNull } from "../../src/layers/compose/null.ts"
import { endOfText } from "../../src/layers/engine/null/bytesTokenizer.ts"
import { tempFolder } from "../support/checkpoints.ts"
import { capture, typist } from "../support/cliIo.ts"

type Replies = (prompt: string) => string

/** An engine that answers a rendered chat by this function, a byte a token. */
const engine =
  (reply: Replies, options: LayerNullOptions = {}) =>
  () =>
    layerNull({
      plainChats: true,
      script: (prompt, index) =>
        Buffer.from(reply(Buffer.from(prompt.filter((id) => id < 256)).toString()))[index] ?? endOfText,
      ...options
    })
const echo: Replies = (prompt) => `${prompt.split("\n").length - 1} lines`

const chat = (
  lines: ReadonlyArray<string>,
  args: ReadonlyArray<string> = [],
  reply: Replies = echo,
  isTerminal = false
) =>
  Effect.gen(function* () {
    const { io, written } = capture({ outIsTerminal: isTerminal, errIsTerminal: isTerminal })
    const { terminal, asked, isClosed } = typist(lines, isTerminal)
    const options = { toolCallParser: "hermes" as const }
    const code = yield* run(["--model", "any", ...args], io, engine(reply, options), () => terminal)
    expect(isClosed()).toBe(true)
    return { code, ...written, asked }
  })

describe("millrace chat", () => {
  it.live("answers each line in the light of those before, the system message first", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const { code, out, err } = yield* chat(["one", "", "two"], ["--system", "Be kind."], (prompt) => {
        if (seen.at(-1) !== prompt) seen.push(prompt)
        return "yes"
      })
      expect({ code, out, err }).toEqual({ code: 0, out: "yes\nyes\n", err: "" })
      expect(seen[0]).toBe("system: Be kind.\nuser: one\nassistant:")
      expect(seen[1]).toBe("system: Be kind.\nuser: one\nassistant: yes\nuser: two\nassistant:")
    })
  )

  it.live("shows its prompt and figures on a terminal only", () =>
    Effect.gen(function* () {
      const { out, err, asked } = yield* chat(["one"], [], () => "yes", true)
      expect(out).toBe("yes\n")
      expect(err).toMatch(/\/help lists commands.*\n.*4 tokens, [\d.]+ tokens\/s/)
      expect(asked[0]).toContain("> ")
    })
  )

  it.live("/reset forgets, /save writes, /help lists, an unknown command is named", () =>
    Effect.gen(function* () {
      const file = join(tempFolder(), "chat.json")
      const lines = ["one", "/reset", "two", `/save ${file}`, "/help", "/savee x", "//not a command", "/exit", "never"]
      const { code, out, err } = yield* chat(lines, ["--system", "S"])
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
        messages: [
          { role: "system", content: "S" },
          { role: "user", content: "two" },
          { role: "assistant", content: "2 lines" }
        ]
      })
      expect(out).toBe("2 lines\n2 lines\n4 lines\n")
      expect(err).toMatch(
        /begins anew.*Saved 3 messages.*Write the messages.*no command \/savee\. Did you mean \/save\?/s
      )
      expect(code).toBe(1)
      expect((yield* chat(["/save /nowhere/x", "/save"])).err).toMatch(/Not saved: .*ENOENT.*needs a file's name/s)
    })
  )

  const call = '<tool_call>{"name": "get_time", "arguments": {"city": "Berlin"}}</tool_call>'
  const tools = () => {
    const file = join(tempFolder(), "tools.json")
    writeFileSync(
      file,
      JSON.stringify([{ type: "function", function: { name: "get_time", parameters: { type: "object" } } }])
    )
    return ["--tools", file]
  }
  const withTool: Replies = (prompt) => (prompt.includes('{"time": "15:25"}') ? "It is 15:25." : `Let me see. ${call}`)

  it.live("shows a tool's call, asks for its result, and goes on with it", () =>
    Effect.gen(function* () {
      const { out, asked, code } = yield* chat(["What time is it?", '{"time": "15:25"}', "/exit"], tools(), withTool)
      expect(out).toBe('Let me see. \n→ get_time {"city": "Berlin"}\nIt is 15:25.\n')
      expect(asked).toEqual(["> ", "get_time = ", "> "])
      expect(code).toBe(0)
    })
  )

  it.live("takes the question back when the tool's result is not given", () =>
    Effect.gen(function* () {
      const file = join(tempFolder(), "chat.json")
      yield* chat(["What time is it?", "", `/save ${file}`], tools(), withTool)
      expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ messages: [] })
    })
  )

  it.live("Ctrl-C ends the reply, keeps what was said and the session, and gives the blocks back", () =>
    Effect.gen(function* () {
      const file = join(tempFolder(), "chat.json")
      const { io, written } = capture()
      const person = typist(["tell", `/save ${file}`, "/exit"], true)
      const busy = engine(() => "abcdefgh".repeat(400), { cost: "2 millis" })
      const press = Effect.gen(function* () {
        yield* Effect.repeat(Effect.sleep(5), { until: () => written.out.length > 8 })
        person.interrupt()
      })
      const [code] = yield* Effect.all([run(["--model", "any"], io, busy, () => person.terminal), press], {
        concurrency: "unbounded"
      })
      expect(code).toBe(0)
      expect(written.err).toContain("Stopped")
      expect(person.listening()).toBe(0)
      const { messages } = JSON.parse(readFileSync(file, "utf8"))
      expect(messages[1].content.length).toBeGreaterThan(8)
      expect(messages[1].content.length).toBeLessThan(3000)
      expect(`${messages[1].content}\n`).toBe(written.out)
    })
  )

  it.live("goes on after a message that is refused, and says so at the end of a pipe", () =>
    Effect.gen(function* () {
      const { code, out, err } = yield* chat(["x".repeat(5000), "two"])
      expect(err).toMatch(/^The prompt has \d+ tokens/)
      expect(out).toBe("2 lines\n".replace("2", "1"))
      expect(code).toBe(1)
    })
  )

  it.effect.each([
    [["hello"], "takes no prompt on its command line"],
    [["--temperature", "9"], "temperature"],
    [["--tools", "/nowhere"], "The file of tools, /nowhere: ENOENT"],
    [["--tools", "package.json"], "it holds no array"],
    [["--n", "2"], "There is no flag --n"],
    [["--systm", "x"], "Did you mean --system?"]
  ] as const)("refuses %j before an engine is made", ([args, message]) =>
    Effect.gen(function* () {
      const never = () => {
        throw new Error("an engine was made")
      }
      const error = yield* Effect.flip(run(["--model", "any", ...args], capture().io, never, () => typist([]).terminal))
      expect(error.message).toContain(message)
    })
  )

  it.effect("needs a template", () =>
    Effect.gen(function* () {
      const plain = () => layerNull({})
      const error = yield* Effect.flip(run(["--model", "any"], capture().io, plain, () => typist([]).terminal))
      expect(error.message).toContain("Give --chat-template")
    })
  )

  it.effect("explains itself", () =>
    Effect.gen(function* () {
      const { io, written } = capture()
      expect(yield* run(["--help"], io)).toBe(0)
      expect(written.out).toMatch(/Usage: millrace chat.*--system <.*--top-p <.*--max-model-len </s)
    })
  )
})
