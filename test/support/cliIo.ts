import type { Io } from "../../src/cli/io.ts"
import type { Terminal } from "../../src/cli/terminal.ts"

/** A command's streams, kept as text. */
export const capture = (terminal: Partial<Pick<Io, "outIsTerminal" | "errIsTerminal">> = {}, input = "") => {
  const written = { out: "", err: "" }
  const io: Io = {
    out: {
      write: async (text) => {
        written.out += text
      }
    },
    err: (text) => {
      written.err += text
    },
    outIsTerminal: false,
    errIsTerminal: false,
    readInput: () => Promise.resolve(input),
    ...terminal
  }
  return { written, io }
}

/** Someone who types these lines, and whoever holds `interrupt` presses Ctrl-C. */
export const typist = (lines: ReadonlyArray<string>, isTerminal = false) => {
  const left = [...lines]
  const asked: Array<string> = []
  const listeners = new Set<() => void>()
  let closed = false
  const terminal: Terminal = {
    isTerminal,
    ask: async (prompt) => {
      asked.push(prompt)
      return left.shift()
    },
    onInterrupt: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => {
      closed = true
    }
  }
  return {
    terminal,
    asked,
    interrupt: () => {
      for (const listener of listeners) listener()
    },
    listening: () => listeners.size,
    isClosed: () => closed
  }
}
