import { TemplateFault } from "./fault.ts"
import type { Token } from "./lexer.ts"
import { space } from "./whitespace.ts"

/** What the lexer works on. */
export interface Pending {
  readonly source: string
  readonly tokens: Array<Token>
  readonly lineAt: (position: number) => number
}

const spaces = new RegExp(`[${space}]+`, "y")
const float = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/y
const integer = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y
const name = /[\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]+/uy
const string = /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y
const operator = /\*\*|\/\/|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y
const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" }

const match = (pattern: RegExp, source: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": ""
}

/** Python's escapes; one that it does not know stays as written. */
const unescape = (text: string): string =>
  text.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (whole: string, hex2?: string, hex4?: string, hex8?: string, octal?: string, char?: string) => {
      const hex = hex2 ?? hex4 ?? hex8
      if (hex !== undefined)
        return Number.parseInt(hex, 16) > 0x10ffff ? whole : String.fromCodePoint(Number.parseInt(hex, 16))
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
      return escapes[char ?? ""] ?? whole
    }
  )

/** Where text goes on after a block tag or comment: `-` takes all white space, else the first line end goes, unless `+`. */
export const endOfTag = (source: string, after: number, sign: string | undefined): number => {
  if (sign === "-") return after + (match(spaces, source, after)?.length ?? 0)
  return sign !== "+" && source[after] === "\n" ? after + 1 : after
}

/** Ends the tag when `%}` or `}}` (with its sign) stands at `at`. */
const closeAt = ({ source, tokens, lineAt }: Pending, at: number, block: boolean): number | undefined => {
  const mark = block ? "%}" : "}}"
  const sign = source[at] === "-" || (block && source[at] === "+") ? source[at] : ""
  if (!source.startsWith(mark, at + sign!.length)) return undefined
  tokens.push({ type: block ? "close" : "closePrint", value: mark, line: lineAt(at) })
  const after = at + sign!.length + 2
  return block || sign === "-" ? endOfTag(source, after, sign) : after
}

const isDot = (token: Token | undefined) => token?.type === "operator" && token.value === "."

const tokenAt = (source: string, at: number, afterDot: boolean): readonly [Token["type"], string] | undefined => {
  const number = afterDot ? undefined : match(float, source, at)
  if (number !== undefined) return ["float", number]
  const digits = match(integer, source, at)
  if (digits !== undefined) return ["integer", digits]
  const word = match(name, source, at)
  if (word !== undefined) return ["name", word]
  const quoted = match(string, source, at)
  if (quoted !== undefined) return ["string", quoted]
  const sign = match(operator, source, at)
  return sign === undefined ? undefined : ["operator", sign]
}

const unexpected = (what: string, line: number) => new TemplateFault("syntax", `unexpected ${what}`, line)

/** The tokens of the `{%` or `{{` at `at`; answers where the text goes on. Within brackets `}}` closes nothing. */
export const scanTag = (pending: Pending, at: number, tag: string): number => {
  const { source, tokens, lineAt } = pending
  const block = tag === "{%"
  const line = lineAt(at)
  tokens.push({ type: block ? "open" : "openPrint", value: tag, line })
  const open: Array<string> = []
  let position = at + 2
  if (source[position] === "-" || (block && source[position] === "+")) position++
  while (position < source.length) {
    const blank = match(spaces, source, position)
    if (blank !== undefined) position += blank.length
    const end = open.length === 0 ? closeAt(pending, position, block) : undefined
    if (end !== undefined) return end
    if (position >= source.length) break
    const found = tokenAt(source, position, isDot(tokens.at(-1)))
    if (found === undefined) throw unexpected(JSON.stringify(source[position]), lineAt(position))
    const [type, raw] = found
    if (type === "operator" && closing[raw] !== undefined) open.push(closing[raw])
    if (type === "operator" && ")]}".includes(raw) && open.pop() !== raw) throw unexpected(`'${raw}'`, lineAt(position))
    tokens.push({ type, value: type === "string" ? unescape(raw.slice(1, -1)) : raw, line: lineAt(position) })
    position += raw.length
  }
  throw new TemplateFault("syntax", `the tag ${tag} is not closed`, line)
}
