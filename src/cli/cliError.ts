/** The command line itself is wrong: nothing was run. Exit code 2. */
export class CliError extends Error {
  readonly _tag = "CliError"
}
