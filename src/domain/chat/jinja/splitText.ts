import { takes } from "./arguments.ts"
import { type TextMethod, textArgument } from "./textArgument.ts"
import { numberOf, Tuple } from "./value.ts"
import { lengthOf, wordsOf } from "./whitespace.ts"

const splitWords = (text: string, most: number): ReadonlyArray<string> => {
  const words = wordsOf(text)
  if (most < 0 || words.length <= most) return words.map(([word]) => word)
  return [...words.slice(0, most).map(([word]) => word), text.slice(words[most]!.index)]
}

const splitWordsFromEnd = (text: string, most: number): ReadonlyArray<string> => {
  const words = wordsOf(text)
  if (most < 0 || words.length <= most) return words.map(([word]) => word)
  const first = words.length - most
  const end = words[first - 1]!
  return [text.slice(0, end.index! + end[0].length), ...words.slice(first).map(([word]) => word)]
}

export const split = (name: "split" | "rsplit"): TextMethod => [
  name,
  takes<string>(name, ["sep", "maxsplit"], (run, text, [sep = null, maxsplit = -1]) => {
    run.spendOn(text.length)
    const most = numberOf(maxsplit) ?? -1
    if (sep === null) run.spendOnItems(text.length / 2)
    if (sep === null) return [...(name === "split" ? splitWords : splitWordsFromEnd)(text, most)]
    const separator = textArgument(run, name, sep)
    if (separator === "") return run.fail("empty separator")
    const parts = text.split(separator)
    run.spendOnItems(parts.length)
    if (most < 0 || parts.length <= most) return parts
    const cut = parts.length - most
    return name === "split"
      ? [...parts.slice(0, most), parts.slice(most).join(separator)]
      : [parts.slice(0, cut).join(separator), ...parts.slice(cut)]
  })
]

export const find = (name: "find" | "rfind" | "index", at: (text: string, part: string) => number): TextMethod => [
  name,
  takes<string>(name, ["sub"], (run, text, [sub]) => {
    run.spendOn(text.length)
    const place = at(text, textArgument(run, name, sub))
    if (place < 0) return name === "index" ? run.fail("substring not found") : -1
    return lengthOf(text.slice(0, place))
  })
]

export const partition = (name: "partition" | "rpartition", at: (text: string, part: string) => number): TextMethod => [
  name,
  takes<string>(name, ["sep"], (run, text, [sep]) => {
    run.spendOn(text.length)
    const separator = textArgument(run, name, sep)
    const place = at(text, separator)
    const absent = name === "partition" ? [text, "", ""] : ["", "", text]
    return Tuple.from(
      place < 0 ? absent : [text.slice(0, place), separator, text.slice(place + separator.length)]
    ) as Tuple
  })
]
