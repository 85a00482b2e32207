import { type Native, takes } from "../arguments.ts"
import { formatPercent } from "../format.ts"
import { type JsonStyle, toJson } from "../json.ts"
import type { Run } from "../run.ts"
import { show } from "../show.ts"
import { capitalize, pad, replaceText } from "../textShape.ts"
import { isFloat, numberOf, Tuple, truthy, type Value } from "../value.ts"
import { charsOf, lengthOf, space, splitLines, stripBoth, wordsOf } from "../whitespace.ts"

/** A filter of a value's text. */
const ofText = (name: string, body: (text: string) => Value): readonly [string, Native] => [
  name,
  takes(name, [], (run, value) => body(run.text(show(run, value))))
]

const wordStart = new RegExp(`([-${space}({\\[<]+)`)
/** Jinja's own title: words also begin after a hyphen or a bracket, and not after an apostrophe. */
const title = (text: string) => text.split(wordStart).map(capitalize).join("")

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" }
const escape = (text: string) => text.replace(/[&<>"']/g, (char) => escapes[char]!)

const indent = (
  run: Run,
  value: Value,
  [width = 4, first = false, blank = false]: ReadonlyArray<Value | undefined>
) => {
  const count = numberOf(width) ?? 4
  run.spendOn(typeof width === "string" ? width.length : count)
  const prefix = typeof width === "string" ? width : " ".repeat(Math.max(0, count))
  const lines = splitLines(`${show(run, value)}\n`)
  run.spendOn(lines.reduce((sum, line) => sum + line.length + prefix.length + 1, 0))
  const all = lines.map((line, at) => (at === 0 || (line === "" && !truthy(blank)) ? line : prefix + line))
  return (truthy(first) ? prefix : "") + all.join("\n")
}

const truncate = (run: Run, value: Value, args: ReadonlyArray<Value | undefined>): Value => {
  const [length = 255, killWords = false, end = "...", leeway = 5] = args
  const text = run.text(show(run, value))
  run.spendOnItems(text.length)
  const chars = charsOf(text)
  const most = numberOf(length) ?? 255
  if (chars.length <= most + (numberOf(leeway) ?? 5)) return text
  const mark = show(run, end)
  const cut = chars.slice(0, Math.max(0, most - lengthOf(mark))).join("")
  if (truthy(killWords)) return cut + mark
  const space = cut.lastIndexOf(" ")
  return (space < 0 ? cut : cut.slice(0, space)) + mark
}

const indentOf = (run: Run, given: Value): string | undefined => {
  if (given === null) return undefined
  if (typeof given === "string") return given
  const width = Math.max(0, numberOf(given) ?? 0)
  run.spendOn(width)
  return " ".repeat(width)
}

const textOr = (run: Run, value: Value | undefined, otherwise: string) =>
  value === undefined ? otherwise : show(run, value)

/** transformers' tojson: json.dumps without escapes of HTML. */
const jsonStyle = (run: Run, args: ReadonlyArray<Value | undefined>): JsonStyle => {
  const [ascii = false, indent = null, separators = null, sortKeys = false] = args
  const spaces = indentOf(run, indent)
  const pair = Array.isArray(separators) ? separators : [spaces === undefined ? ", " : ",", ": "]
  return {
    ascii: truthy(ascii),
    indent: spaces,
    itemSeparator: textOr(run, pair[0], ", "),
    keySeparator: textOr(run, pair[1], ": "),
    sortKeys: truthy(sortKeys)
  }
}

const urlencode = (text: string) =>
  encodeURIComponent(text.replace(/\p{Cs}/gu, "\ufffd")).replace(/[!'()*]|%2F/g, (char) =>
    char === "%2F" ? "/" : `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )

const countWords = (run: Run, text: string): number => {
  run.spendOnItems(text.length / 2)
  return wordsOf(text).length
}

export const textFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ofText("string", (text) => text),
  ofText("upper", (text) => text.toUpperCase()),
  ofText("lower", (text) => text.toLowerCase()),
  ofText("capitalize", capitalize),
  ofText("title", title),
  ofText("escape", escape),
  ofText("e", escape),
  ofText("forceescape", escape),
  ofText("urlencode", (text) => urlencode(text)),
  ["wordcount", takes("wordcount", [], (run, value) => countWords(run, show(run, value)))],
  ofText("striptags", (text) =>
    wordsOf(text.replace(/<!--[\s\S]*?-->|<[^>]*>/g, ""))
      .map(([word]) => word)
      .join(" ")
  ),
  ["safe", (_run, value) => value],
  [
    "trim",
    takes("trim", ["chars"], (run, value, [chars = null]) =>
      stripBoth(run.text(show(run, value)), chars === null ? undefined : show(run, chars))
    )
  ],
  ["indent", takes("indent", ["width", "first", "blank"], indent)],
  ["truncate", takes("truncate", ["length", "killwords", "end", "leeway"], truncate)],
  [
    "center",
    takes("center", ["width"], (run, value, [width = 80]) =>
      pad(run, show(run, value), "center", numberOf(width) ?? 80, " ")
    )
  ],
  [
    "replace",
    takes("replace", ["old", "new", "count"], (run, value, [old = "", by = "", count = null]) =>
      replaceText(run, show(run, value), show(run, old), show(run, by), numberOf(count) ?? -1)
    )
  ],
  [
    "format",
    (run, value, { positional, named }) =>
      formatPercent(run, show(run, value), named.size > 0 ? new Map(named) : (Tuple.from(positional) as Tuple))
  ],
  [
    "tojson",
    takes("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"], (run, value, args) =>
      toJson(run, value, jsonStyle(run, args))
    )
  ],
  [
    "filesizeformat",
    takes("filesizeformat", ["binary"], (run, value, [binary = false]) =>
      fileSize(numberOf(value) ?? run.fail("a number is required"), truthy(binary))
    )
  ]
])

const fileSize = (bytes: number, binary: boolean): string => {
  const base = binary ? 1024 : 1000
  if (bytes < base) return bytes === 1 ? "1 Byte" : `${isFloat(bytes) ? bytes : Math.trunc(bytes)} Bytes`
  const power = Math.min(8, Math.floor(Math.log(bytes) / Math.log(base)))
  return `${(bytes / base ** power).toFixed(1)} ${"kMGTPEZY"[power - 1]!.toUpperCase().replace("K", binary ? "K" : "k")}${binary ? "iB" : "B"}`
}
