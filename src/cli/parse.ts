import { nearest } from "../domain/config/nearest.ts"
import { CliError } from "./cliError.ts"
import { type Flag, isSwitch, type Kind } from "./flags.ts"

/** A command line taken apart: raw values by field, ready for a Schema to judge. */
export interface ParsedLine {
  readonly values: Readonly<Record<string, unknown>>
  readonly positionals: ReadonlyArray<string>
  readonly help: boolean
}

const looksLikeNumber = (text: string) => text.trim() !== "" && !Number.isNaN(Number(text))

/** What JSON has for this text; a text that fits no kind is passed on, and the Schema says what it expected. */
const convert = (text: string, kinds: ReadonlySet<Kind>, flag: Flag): unknown => {
  if (kinds.has("boolean") && (text === "true" || text === "false")) return text === "true"
  if (kinds.has("number") && looksLikeNumber(text)) return Number(text)
  if (kinds.has("object") && text.trimStart().startsWith("{")) {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new CliError(
        `--${flag.name} is given JSON that does not parse: ${error instanceof Error ? error.message : error}.`
      )
    }
  }
  return text
}

const unknownFlag = (name: string, flags: ReadonlyArray<Flag>) => {
  const meant = nearest(
    name,
    flags.map((flag) => flag.name)
  )
  return new CliError(
    `There is no flag --${name}.${meant === undefined ? "" : ` Did you mean --${meant}?`} --help lists them.`
  )
}

interface Token {
  readonly name: string
  readonly inline: string | undefined
}

const flagToken = (argument: string): Token => {
  const equals = argument.indexOf("=")
  return equals < 0
    ? { name: argument.slice(2), inline: undefined }
    : { name: argument.slice(2, equals), inline: argument.slice(equals + 1) }
}

/**
 * `--flag value`, `--flag=value`, `--switch`, `--no-switch`; a list by giving its flag again; `--` ends the flags.
 * Written by hand because node:util's parseArgs knows neither numbers nor what was probably meant.
 */
export const parseLine = (args: ReadonlyArray<string>, flags: ReadonlyArray<Flag>): ParsedLine => {
  const values: Record<string, unknown> = {}
  const positionals: Array<string> = []
  let help = false
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? ""
    if (argument === "--") {
      positionals.push(...args.slice(at + 1))
      break
    }
    if (argument === "--help" || argument === "-h") help = true
    else if (!argument.startsWith("--")) positionals.push(argument)
    else {
      const token = flagToken(argument)
      const flag = flags.find(({ name }) => name === token.name)
      if (flag === undefined) setNegated(token, flags, values)
      else if (token.inline !== undefined) setValue(flag, token.inline, values)
      else if (isSwitch(flag)) setValue(flag, "true", values)
      else {
        const next = args[++at]
        if (next === undefined) throw new CliError(`--${flag.name} needs a value: ${flag.expects}.`)
        setValue(flag, next, values)
      }
    }
  }
  return { values, positionals, help }
}

const setNegated = ({ name, inline }: Token, flags: ReadonlyArray<Flag>, values: Record<string, unknown>) => {
  const flag = name.startsWith("no-") ? flags.find((known) => known.name === name.slice(3)) : undefined
  if (flag === undefined || !isSwitch(flag) || inline !== undefined) throw unknownFlag(name, flags)
  setValue(flag, "false", values)
}

const setValue = (flag: Flag, text: string, values: Record<string, unknown>) => {
  if (flag.kinds.has("list")) {
    const before = (values[flag.field] ?? []) as ReadonlyArray<unknown>
    values[flag.field] = [...before, convert(text, flag.itemKinds, flag)]
    return
  }
  if (values[flag.field] !== undefined) throw new CliError(`--${flag.name} is given twice. Give it once.`)
  values[flag.field] = convert(text, flag.kinds, flag)
}
