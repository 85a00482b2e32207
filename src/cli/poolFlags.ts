import * as Schema from "effect/Schema"
import { EngineOptions } from "../domain/config/engineOptions.ts"
import { field, flag, text } from "../domain/config/types.ts"
import { PoolingFields } from "../domain/pooling/poolingParams.ts"
import { type Flag, flagsOf } from "./flags.ts"
import { type FlagGroup, helpText } from "./help.ts"

/** The commands that pool. */
export type PoolCommand = "embed" | "classify" | "score"

/** What only the command line has. */
const Own = Schema.Struct({
  file: field(text, "File with one text on each line; - reads standard input."),
  json: field(flag, "Write one JSON object a line for each text, in their order, instead of a table.", false),
  chatTemplate: field(text, "Template that makes a prompt of query and document, for rerankers that are prompted.")
})

const ownFlags = (command: PoolCommand) => flagsOf(Own, command === "score" ? [] : ["chatTemplate"])
const poolingFlags = flagsOf(PoolingFields)
const engineFlags = flagsOf(EngineOptions)

export const poolFlags = (command: PoolCommand): ReadonlyArray<Flag> => [
  ...ownFlags(command),
  ...poolingFlags,
  ...engineFlags
]

const about: Readonly<Record<PoolCommand, readonly [usage: string, text: string]>> = {
  embed: ["TEXT...", "Writes the embedding of each text."],
  classify: ["TEXT...", "Writes the probability of each label, for each text."],
  score: ["QUERY TEXT...", "Writes how well each text answers the query, the first of the arguments."]
}

export const poolHelp = (command: PoolCommand): string => {
  const [usage, text] = about[command]
  const groups: ReadonlyArray<FlagGroup> = [
    { title: "Command", flags: ownFlags(command) },
    { title: "Pooling", flags: poolingFlags },
    { title: "Engine", flags: engineFlags }
  ]
  return helpText(`millrace ${command} --model FOLDER [flags] ${usage}`, text, groups)
}

const pick = (values: Readonly<Record<string, unknown>>, flags: ReadonlyArray<Flag>) =>
  Object.fromEntries(flags.flatMap(({ field: name }) => (values[name] === undefined ? [] : [[name, values[name]]])))

/** Sorts what was given by whom it is for; each part is still to be decoded. */
export const sortPoolValues = (command: PoolCommand, values: Readonly<Record<string, unknown>>) => ({
  own: pick(values, ownFlags(command)) as typeof Own.Type,
  pooling: pick(values, poolingFlags),
  engine: pick(values, engineFlags)
})
