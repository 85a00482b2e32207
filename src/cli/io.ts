import type { Sink } from "./ordered.ts"

/** Where a command reads and writes; tests hand in their own. */
export interface Io {
  readonly out: Sink
  readonly outIsTerminal: boolean
  /** For messages, progress and figures; replies never go here. */
  readonly err: (text: string) => void
  readonly errIsTerminal: boolean
  /** All of standard input, for `--file -`; given up when the signal says so. */
  readonly readInput: (signal: AbortSignal) => Promise<string>
}

const readAll = async (signal: AbortSignal): Promise<string> => {
  // A pending read would keep the process alive.
  signal.addEventListener("abort", () => process.stdin.destroy(), { once: true })
  const chunks: Array<Buffer> = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

/** Resolves once the stream takes more: a reader that lags slows the reply, and the engine lends its place to others. */
const write = (stream: NodeJS.WriteStream) => (text: string) =>
  stream.write(text) ? Promise.resolve() : new Promise<void>((resolve) => stream.once("drain", resolve))

export const processIo: Io = {
  out: { write: write(process.stdout) },
  outIsTerminal: process.stdout.isTTY === true,
  err: (text) => process.stderr.write(text),
  errIsTerminal: process.stderr.isTTY === true,
  readInput: readAll
}
