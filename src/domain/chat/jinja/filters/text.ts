import { attributeGetter } from "../access.ts"
import { type Native, takes } from "../arguments.ts"
import { formatPercent } from "../format.ts"
import { show } from "../show.ts"
import { capitalize, joinTexts, replaceText } from "../textMethods.ts"
import { type Host, isText, iterate, numberOf, truthy, type Value } from "../value.ts"
import { splitLines, stripBoth, wordsOf } from "../whitespace.ts"

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;"
}

/** A filter that makes one text of another; what is no text is printed first. */
const ofText = (change: (text: string) => string): Native =>
  takes([], (host, value) => host.make.text(host.run.text(change(host.run.text(show(host, value))))))

const indent = takes(["width", "first", "blank"], (host, value, [width, first, blank]) => {
  const columns = numberOf(width) ?? 4
  host.run.spendOn(columns)
  const by = isText(width) ? width.value : " ".repeat(Math.max(0, columns))
  const text = host.run.text(show(host, value))
  // A last line break begins one more line, as where Jinja adds one before it splits.
  const lines = [...splitLines(text), ...(/[\n\r]$/.test(text) || text === "" ? [""] : [])]
  host.run.spendOn(text.length + lines.length * by.length)
  const shown = lines.map((line, at) => ((at === 0 ? truthy(first) : truthy(blank) || line !== "") ? by + line : line))
  return host.make.text(shown.join("\n"))
})

const join = takes(["d", "attribute"], (host: Host, value: Value, [separator, attribute]) => {
  const get = attributeGetter(host, attribute)
  const texts = iterate(host, value).map((item) => show(host, get(item)))
  return joinTexts(host, texts, separator === undefined ? "" : show(host, separator))
})

export const textFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ["string", ofText((text) => text)],
  ["capitalize", ofText(capitalize)],
  ["escape", ofText((text) => text.replace(/[&<>'"]/g, (char) => entities[char]!))],
  ["e", ofText((text) => text.replace(/[&<>'"]/g, (char) => entities[char]!))],
  ["wordcount", (host, value) => host.make.int(wordsOf(show(host, value)).length)],
  [
    "trim",
    takes(["chars"], (host, value, [chars]) =>
      host.make.text(stripBoth(host.run.text(show(host, value)), isText(chars) ? chars.value : undefined))
    )
  ],
  [
    "replace",
    takes(["old", "new", "count"], (host, value, [old, by, count]) => {
      const text = (given: Value | undefined) => (given === undefined ? "" : show(host, given))
      return replaceText(host, text(value), text(old), text(by), numberOf(count) ?? -1)
    })
  ],
  ["indent", indent],
  ["join", join],
  [
    "format",
    (host, value, { positional, named }) =>
      formatPercent(
        host,
        show(host, value),
        named.size > 0 ? host.make.dict(new Map(named)) : host.make.tuple([...positional])
      )
  ]
])
