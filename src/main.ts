#!/usr/bin/env node
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { Command } from "./cli/command.ts"
import { interrupts } from "./cli/interrupts.ts"
import type { Io } from "./cli/io.ts"
import { processIo } from "./cli/io.ts"
import type { PoolCommand } from "./cli/poolFlags.ts"

const pooling = (command: PoolCommand) => import("./cli/pool.ts").then(({ commandOf }) => commandOf(command))

/** Each command's code is loaded when it is called: the first token waits for nothing else. */
const commands: Readonly<Record<string, { readonly about: string; readonly load: () => Promise<Command> }>> = {
  generate: { about: "Write replies to prompts.", load: () => import("./cli/generate.ts") },
  chat: { about: "Talk with a model.", load: () => import("./cli/chat.ts") },
  embed: { about: "Write embeddings of texts.", load: () => pooling("embed") },
  classify: { about: "Write the probabilities of labels, for texts.", load: () => pooling("classify") },
  score: { about: "Write how well texts answer a query.", load: () => pooling("score") },
  inspect: { about: "Show a checkpoint's facts, memory, graph and plan.", load: () => import("./cli/inspect.ts") }
}

const usage = () =>
  [
    "Usage: millrace COMMAND [flags]",
    "",
    ...Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`),
    "",
    "millrace COMMAND --help lists a command's flags; millrace --version says which this is.",
    ""
  ].join("\n")

const version = () => String(JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version)

const top = (name: string | undefined, io: Io): Effect.Effect<number> => {
  if (name === "--version")
    return Effect.as(
      Effect.promise(() => io.out.write(`${version()}\n`)),
      0
    )
  if (name === "--help" || name === "-h")
    return Effect.as(
      Effect.promise(() => io.out.write(usage())),
      0
    )
  return Effect.sync(() => {
    io.err(`${name === undefined ? "There is no command." : `There is no command ${name}.`}\n\n${usage()}`)
    return 2
  })
}

/** What the user typed is wrong: 2. What happened while it ran: 1. */
const exitCode = ({ _tag }: { readonly _tag: string }) =>
  ["CliError", "InvalidOptions", "InvalidRequest"].includes(_tag) ? 2 : 1

const program = ([name, ...args]: ReadonlyArray<string>, io: Io): Effect.Effect<number> => {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) return top(name, io)
  return Effect.promise(command.load).pipe(
    Effect.flatMap(({ run }) => run(args, io)),
    Effect.catchAll((error) => {
      io.err(`${error.message}\n`)
      return Effect.succeed(exitCode(error))
    })
  )
}

/** Warnings go where messages go: stdout holds replies alone. */
const logger = Logger.replace(
  Logger.defaultLogger,
  Logger.make(({ message }) => processIo.err(`${String(message)}\n`))
)

const fiber = Effect.runFork(Effect.provide(program(process.argv.slice(2), processIo), logger))

/** Interrupting closes the engine's scope: the step in flight ends, memory and threads are given back. */
const stop = (code: number) => {
  process.exitCode = code
  fiber.unsafeInterruptAsFork(fiber.id())
}
process.on("SIGINT", () => {
  if (interrupts.deliver()) return
  // Whoever presses it again will not wait.
  if (process.exitCode === 130) process.exit(130)
  stop(130)
})
process.once("SIGTERM", () => stop(143))
process.stdout.once("error", (error: NodeJS.ErrnoException) => {
  // Whoever read us has what they wanted (`| head`).
  if (error.code === "EPIPE") stop(0)
  else throw error
})

fiber.addObserver((exit) => {
  if (exit._tag === "Success") process.exitCode = exit.value
  else if (process.exitCode === undefined) {
    process.stderr.write(`millrace failed in a way it should not: ${exit.cause}\n`)
    process.exitCode = 1
  } else if (processIo.errIsTerminal) process.stderr.write("\n")
})
