import { show } from "../domain/config/show.ts"
import { type Flag, isSwitch } from "./flags.ts"

/** One titled list of flags of a help text. */
export interface FlagGroup {
  readonly title: string
  readonly flags: ReadonlyArray<Flag>
}

const width = 100
const indent = 6

/** Breaks words at the line's width, each line under the one before. */
const wrap = (text: string): string => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].map((part) => " ".repeat(indent) + part).join("\n")
}

const flagHelp = (flag: Flag): string => {
  const on = isSwitch(flag) && flag.default === true
  const head = on ? `--no-${flag.name}` : isSwitch(flag) ? `--${flag.name}` : `--${flag.name} <${flag.expects}>`
  const stands = isSwitch(flag) || flag.default === undefined ? "" : ` Default: ${show(flag.default)}.`
  return `  ${head}\n${wrap((on ? `Turns off: ${flag.description}` : flag.description) + stands)}`
}

/** A command's help, from the Schemas that decode its flags. */
export const helpText = (usage: string, about: string, groups: ReadonlyArray<FlagGroup>): string =>
  [
    `Usage: ${usage}`,
    about,
    ...groups.map(({ title, flags }) => [`${title}:`, ...flags.map(flagHelp)].join("\n"))
  ].join("\n\n") + "\n"
