import { PassThrough } from "node:stream"
import { describe, expect, it } from "vitest"
import { interrupts } from "../../src/cli/interrupts.ts"
import { makePipe, makeTerminal } from "../../src/cli/terminal.ts"

/** Streams that a line editor takes for a terminal. */
const keyboard = () => {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input })
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  let shown = ""
  output.on("data", (chunk) => {
    shown += chunk
  })
  return { terminal: makeTerminal(input, output), type: (keys: string) => input.write(keys), shown: () => shown }
}

describe("a person's terminal", () => {
  it("asks, and gives what was typed", async () => {
    const { terminal, type, shown } = keyboard()
    const answer = terminal.ask("> ")
    type("hello\r")
    expect(await answer).toBe("hello")
    expect(shown()).toContain("> ")
  })

  it("takes the lines of a paste as one message, the last one when Enter comes", async () => {
    const { terminal, type } = keyboard()
    const whole = terminal.ask("> ")
    type("one\rtwo\rthree\r")
    expect(await whole).toBe("one\ntwo\nthree")
    const open = terminal.ask("> ")
    type("one\rtwo")
    await new Promise((resolve) => setTimeout(resolve, 60))
    type(" and a half\r")
    expect(await open).toBe("one\ntwo and a half")
  })

  it("goes on after a backslash", async () => {
    const { terminal, type } = keyboard()
    const answer = terminal.ask("> ")
    type("one\\\r")
    await new Promise((resolve) => setTimeout(resolve, 60))
    type("two\r")
    expect(await answer).toBe("one\ntwo")
  })

  it("Ctrl-C drops what was typed; at an empty prompt it ends, as Ctrl-D does", async () => {
    const { terminal, type } = keyboard()
    const typed = terminal.ask("> ")
    type("half a thou\x03")
    expect(await typed).toBe("")
    const empty = terminal.ask("> ")
    type("\x03")
    expect(await empty).toBeUndefined()
    const end = terminal.ask("> ")
    type("\x04")
    expect(await end).toBeUndefined()
  })

  it("closed while it asks, it answers that there will be no more", async () => {
    const { terminal } = keyboard()
    const answer = terminal.ask("> ")
    terminal.close()
    expect(await answer).toBeUndefined()
    terminal.close()
  })

  it("shows each key once, however often it has asked", async () => {
    const { terminal, type, shown } = keyboard()
    for (let turn = 0; turn < 3; turn++) {
      const answer = terminal.ask("> ")
      type("q\r")
      await answer
    }
    expect(shown().split("q")).toHaveLength(4)
  })

  it("Ctrl-C between questions goes to whoever claimed it last, else to the process", () => {
    const { terminal } = keyboard()
    const heard: Array<string> = []
    expect(interrupts.deliver()).toBe(false)
    const first = terminal.onInterrupt(() => heard.push("first"))
    const second = terminal.onInterrupt(() => heard.push("second"))
    expect(interrupts.deliver()).toBe(true)
    second()
    interrupts.deliver()
    first()
    expect(interrupts.deliver()).toBe(false)
    expect(heard).toEqual(["second", "first"])
  })
})

it("a pipe gives a message a line, until it ends", async () => {
  const input = new PassThrough()
  const pipe = makePipe(input)
  input.end("one\ntwo \\\nthree\nlast")
  expect([await pipe.ask(""), await pipe.ask(""), await pipe.ask(""), await pipe.ask("")]).toEqual([
    "one",
    "two \nthree",
    "last",
    undefined
  ])
  pipe.close()
})
