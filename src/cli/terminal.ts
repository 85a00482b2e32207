import * as readline from "node:readline"
import { interrupts } from "./interrupts.ts"

/** Where a conversation is typed, or comes from a pipe. */
export interface Terminal {
  readonly isTerminal: boolean
  /** The next message; undefined when there will be none: Ctrl-D or Ctrl-C at an empty prompt, the end of a pipe. */
  readonly ask: (prompt: string) => Promise<string | undefined>
  /** While it is claimed, Ctrl-C calls `listener` and does nothing else; the answer lets go of it. */
  readonly onInterrupt: (listener: () => void) => () => void
  readonly close: () => void
}

/** Lines of one paste follow each other faster than anyone types. */
const pasteMillis = 15

/** A message of several lines: pasted at once, or each but the last ended by a backslash. */
class Message {
  readonly #lines: Array<string> = []
  #open = false

  add(line: string) {
    this.#open = line.endsWith("\\") && !line.endsWith("\\\\")
    this.#lines.push(this.#open ? line.slice(0, -1) : line)
  }

  /** Whether the last line asked for another. */
  get open() {
    return this.#open
  }

  get text() {
    return this.#lines.join("\n")
  }
}

/**
 * Line editing with a history, for a person. The editor lives only while it asks: between questions the terminal is in
 * its own mode, where Ctrl-C is a signal.
 */
export const makeTerminal = (input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Terminal => {
  let history: Array<string> = []
  let open: readline.Interface | undefined
  const ask = (prompt: string) =>
    new Promise<string | undefined>((resolve) => {
      const editor = readline.createInterface({ input, output, prompt, history, terminal: true })
      open = editor
      const message = new Message()
      let timer: NodeJS.Timeout | undefined
      const end = (answer: string | undefined) => {
        clearTimeout(timer)
        open = undefined
        editor.off("close", closed)
        editor.close()
        resolve(answer)
      }
      const closed = () => {
        output.write("\n")
        end(undefined)
      }
      editor.on("history", (lines) => {
        history = lines
      })
      editor.on("line", (line) => {
        message.add(line)
        clearTimeout(timer)
        timer = setTimeout(() => {
          // What a paste left without a line's end waits for Enter; so does what a backslash continued.
          if (message.open) editor.setPrompt("… ")
          if (message.open) editor.prompt()
          else if (editor.line === "") end(message.text)
        }, pasteMillis)
      })
      editor.on("SIGINT", () => {
        const typed = editor.line !== "" || message.text !== ""
        output.write(typed ? "^C\n" : "\n")
        // As in a shell: what was typed is dropped, and the question asked anew.
        end(typed ? "" : undefined)
      })
      editor.on("close", closed)
      editor.prompt()
    })
  return {
    isTerminal: true,
    ask,
    onInterrupt: (listener) => interrupts.claim(listener),
    // A question that nobody will answer any more would keep the process alive, and the terminal raw.
    close: () => open?.close()
  }
}

/** Each line of a pipe is a message; Ctrl-C stops a reply here too, and between replies ends the process as everywhere. */
export const makePipe = (input: NodeJS.ReadableStream): Terminal => {
  const reader = readline.createInterface({ input, terminal: false })
  const lines = reader[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await lines.next()
    return done === true ? undefined : value
  }
  return {
    isTerminal: false,
    ask: async () => {
      const message = new Message()
      for (;;) {
        const line = await next()
        if (line === undefined) return message.text === "" ? undefined : message.text
        message.add(line)
        if (!message.open) return message.text
      }
    },
    onInterrupt: (listener) => interrupts.claim(listener),
    close: () => {
      reader.close()
      // A pending read would keep the process alive.
      if ("destroy" in input && typeof input.destroy === "function") input.destroy()
    }
  }
}

/** Standard input, whatever it is. */
export const openTerminal = (): Terminal =>
  process.stdin.isTTY === true && process.stdout.isTTY === true
    ? makeTerminal(process.stdin, process.stdout)
    : makePipe(process.stdin)
