import type { Native } from "./arguments.ts"
import type { Run } from "./run.ts"
import { typeName, type Value } from "./value.ts"

export type TextMethod = readonly [string, Native<string>]

export const textArgument = (run: Run, name: string, value: Value | undefined): string =>
  typeof value === "string"
    ? value
    : run.fail(`${name}: expected a str, got ${value === undefined ? "nothing" : typeName(value)}`)
