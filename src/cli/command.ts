import type * as Effect from "effect/Effect"
import type { PoolError, StartError } from "../domain/errors.ts"
import type { CliError } from "./cliError.ts"
import type { Io } from "./io.ts"

/** What a command's module exports: it runs with the words after the command's name and answers the exit code. */
export interface Command {
  readonly run: (args: ReadonlyArray<string>, io: Io) => Effect.Effect<number, CliError | StartError | PoolError>
}
