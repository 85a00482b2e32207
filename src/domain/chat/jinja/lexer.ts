import { TemplateFault } from "./fault.ts"
import { endOfTag, type Pending, scanTag } from "./scanTag.ts"
import { space, stripEnd } from "./whitespace.ts"

/** `open`/`close` are `{%`/`%}`, `openPrint`/`closePrint` are `{{`/`}}`. Strings are unescaped. */
export interface Token {
  readonly type:
    | "text"
    | "open"
    | "close"
    | "openPrint"
    | "closePrint"
    | "name"
    | "string"
    | "integer"
    | "float"
    | "operator"
    | "end"
  readonly value: string
  readonly line: number
}

/** Counts lines as positions grow. */
export const makeLineCounter = (source: string) => {
  let line = 1
  let end = source.indexOf("\n")
  return (position: number): number => {
    for (; end >= 0 && end < position; end = source.indexOf("\n", end + 1)) line++
    return line
  }
}

const tagStart = /\{[{%#]/g
const rawStart = new RegExp(`\\{%[-+]?[${space}]*raw[${space}]*(?:-%\\}[${space}]*|%\\})`, "y")
const rawEnd = new RegExp(`\\{%([-+]?)[${space}]*endraw[${space}]*(?:\\+%\\}|-%\\}[${space}]*|%\\}\\n?)`, "g")

/** White space before a tag: `-` takes it all, a block tag alone on its line takes its indent, `+` leaves it. */
const textBefore = (text: string, tag: string, sign: string | undefined, lineStarts: boolean): string => {
  if (sign === "-") return stripEnd(text)
  if (sign === "+" || tag === "{{") return text
  const from = text.lastIndexOf("\n") + 1
  return (from > 0 || lineStarts) && stripEnd(text.slice(from)) === "" ? text.slice(0, from) : text
}

/**
 * A template's tokens, with Jinja's `trim_blocks` and `lstrip_blocks` on, as chat templates expect. Lines end in `\n`
 * whatever the file used; one at the very end is dropped.
 */
export const tokenise = (given: string): ReadonlyArray<Token> => {
  const source = given.replace(/\r\n?/g, "\n").replace(/\n$/, "")
  const tokens: Array<Token> = []
  const lineAt = makeLineCounter(source)
  let position = 0
  while (position < source.length) {
    tagStart.lastIndex = position
    const start = tagStart.exec(source)
    const at = start?.index ?? source.length
    const lineStarts = position === 0 || source[position - 1] === "\n"
    const text = source.slice(position, at)
    const kept = start === null ? text : textBefore(text, start[0], source[at + 2], lineStarts)
    if (kept !== "") tokens.push({ type: "text", value: kept, line: lineAt(position) })
    if (start === null) break
    position = takeTag({ source, tokens, lineAt }, at, start[0])
  }
  tokens.push({ type: "end", value: "", line: lineAt(source.length) })
  return tokens
}

/** Reads the tag at `at`; answers where the text goes on. */
const takeTag = (pending: Pending, at: number, tag: string): number => {
  const { source, lineAt } = pending
  if (tag === "{#") {
    const close = source.indexOf("#}", at + 2)
    if (close < 0) throw new TemplateFault("syntax", "a comment is not closed", lineAt(at))
    // "{#-#}" is a comment that strips before itself: its minus counts once.
    const sign = close > at + 2 ? source[close - 1] : undefined
    return endOfTag(source, close + 2, sign)
  }
  rawStart.lastIndex = at
  const raw = tag === "{%" ? rawStart.exec(source) : null
  return raw === null ? scanTag(pending, at, tag) : takeRaw(pending, rawStart.lastIndex)
}

const takeRaw = ({ source, tokens, lineAt }: Pending, from: number): number => {
  rawEnd.lastIndex = from
  const end = rawEnd.exec(source)
  if (end === null) throw new TemplateFault("syntax", "a raw block is not closed", lineAt(from))
  const text = source.slice(from, end.index)
  const kept = textBefore(text, "{%", end[1], source[from - 1] === "\n")
  if (kept !== "") tokens.push({ type: "text", value: kept, line: lineAt(from) })
  return rawEnd.lastIndex
}
