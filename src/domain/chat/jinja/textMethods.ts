import { type Native, takes } from "./arguments.ts"
import { type Host, isText, iterate, numberOf, type Text, typeName, type Value } from "./value.ts"
import { lengthOf, splitLines, stripBoth, stripEnd, stripStart } from "./whitespace.ts"

type Method = Native<Text>

const textOf = ({ run }: Host, value: Value | undefined): string =>
  isText(value) ? value.value : run.fail(`a str is expected, got ${value === undefined ? "nothing" : typeName(value)}`)

/** Python's str.replace; an empty `old` stands between all characters. */
export const replaceText = ({ run, make }: Host, text: string, old: string, by: string, count: number): Text => {
  run.spendOn(text.length)
  const parts = old === "" ? ["", ...text, ""] : text.split(old)
  const swaps = Math.min(count < 0 ? Number.POSITIVE_INFINITY : count, parts.length - 1)
  run.spendOn(text.length + swaps * by.length)
  const head = parts.slice(0, swaps + 1).join(by)
  return make.text(swaps === parts.length - 1 ? head : head + old + parts.slice(swaps + 1).join(old))
}

/** Texts in a row. */
export const joinTexts = ({ run, make }: Host, texts: ReadonlyArray<string>, separator: string): Text => {
  run.spendOn(texts.reduce((sum, text) => sum + text.length + separator.length, 0))
  return make.text(texts.join(separator))
}

export const capitalize = (text: string): string => {
  const [first = ""] = text
  return first.toUpperCase() + text.slice(first.length).toLowerCase()
}

const stripper = (strip: (text: string, set?: string) => string): Method =>
  takes(["chars"], (host, { value }, [chars]) =>
    host.make.text(strip(host.run.text(value), isText(chars) ? chars.value : undefined))
  )

const finder = (at: (text: string, part: string) => number): Method =>
  takes(["sub"], (host, { value }, [sub]) => {
    const place = at(host.run.text(value), textOf(host, sub))
    return host.make.int(place < 0 ? place : lengthOf(value.slice(0, place)))
  })

const cut = (fits: (text: string, part: string) => boolean, rest: (text: string, part: string) => string): Method =>
  takes(["part"], (host, { value }, [part]) => {
    const text = textOf(host, part)
    return host.make.text(fits(value, text) ? rest(value, text) : value)
  })

/** Methods of texts that the library lacks, or has otherwise than Python. */
export const textMethods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["strip", stripper(stripBoth)],
  ["lstrip", stripper(stripStart)],
  ["rstrip", stripper(stripEnd)],
  ["capitalize", takes([], (host, { value }) => host.make.text(capitalize(host.run.text(value))))],
  [
    "replace",
    takes(["old", "new", "count"], (host, { value }, [old, by, count]) =>
      replaceText(host, value, textOf(host, old), textOf(host, by), numberOf(count) ?? -1)
    )
  ],
  [
    "join",
    takes(["items"], (host, { value }, [items]) =>
      joinTexts(
        host,
        iterate(host, items ?? host.make.missing()).map((item) => textOf(host, item)),
        value
      )
    )
  ],
  ["splitlines", takes([], (host, { value }) => host.make.list(splitLines(host.run.text(value)).map(host.make.text)))],
  ["find", finder((text, part) => text.indexOf(part))],
  ["rfind", finder((text, part) => text.lastIndexOf(part))],
  [
    "count",
    takes(["sub"], (host, { value }, [sub]) => host.make.int(host.run.text(value).split(textOf(host, sub)).length - 1))
  ],
  [
    "removeprefix",
    cut(
      (text, part) => text.startsWith(part),
      (text, part) => text.slice(part.length)
    )
  ],
  [
    "removesuffix",
    cut(
      (text, part) => text.endsWith(part),
      (text, part) => text.slice(0, text.length - part.length)
    )
  ]
])
