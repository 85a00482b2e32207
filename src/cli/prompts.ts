import { readFile } from "node:fs/promises"
import { CliError } from "./cliError.ts"
import type { Io } from "./io.ts"

/** The prompts of a command line: its arguments, then the lines of its file that are not empty. */
export const readPrompts = async (
  positionals: ReadonlyArray<string>,
  file: string | undefined,
  io: Io,
  signal: AbortSignal
): Promise<ReadonlyArray<string>> => {
  const text = file === undefined ? "" : file === "-" ? await io.readInput(signal) : await readPromptFile(file)
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "")
  const prompts = [...positionals, ...lines]
  if (prompts.length === 0)
    throw new CliError('There is no prompt. Give one or more, as in: millrace generate --model models/brook "Hello"')
  return prompts
}

const readPromptFile = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((error: unknown) => {
    throw new CliError(`The file of prompts cannot be read: ${error instanceof Error ? error.message : error}.`)
  })
