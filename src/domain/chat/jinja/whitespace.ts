/** What Python's str counts as white space, as the inside of a regex class. JavaScript's \s differs in a few. */
export const space = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
const isSpace = new RegExp(`^[${space}]$`)

/** Ends of a text without the characters of `set` (white space when none is given), on the sides asked for. */
const strip = (text: string, start: boolean, end: boolean, set?: string): string => {
  const chars = set === undefined ? undefined : new Set(set)
  const drop = (char: string) => (chars === undefined ? isSpace.test(char) : chars.has(char))
  let from = 0
  let to = text.length
  while (start && from < to) {
    const char = String.fromCodePoint(text.codePointAt(from)!)
    if (!drop(char)) break
    from += char.length
  }
  while (end && to > from) {
    const low = text.charCodeAt(to - 1)
    const pair = low >= 0xdc00 && low <= 0xdfff && to - 2 >= from
    const char = text.slice(to - (pair ? 2 : 1), to)
    if (!drop(char)) break
    to -= char.length
  }
  return text.slice(from, to)
}

export const stripBoth = (text: string, set?: string): string => strip(text, true, true, set)
export const stripStart = (text: string, set?: string): string => strip(text, true, false, set)
export const stripEnd = (text: string, set?: string): string => strip(text, false, true, set)

const words = new RegExp(`[^${space}]+`, "g")
/** The runs of characters between white space, with where each begins. */
export const wordsOf = (text: string): ReadonlyArray<RegExpMatchArray> => [...text.matchAll(words)]

const separators = "\\x1c-\\x1e\\x85\\u2028\\u2029"
const lineEnd = new RegExp(`\\r\\n|[\\n\\r\\v\\f${separators}]`)

/** Lines as Python's str.splitlines sees them. */
export const splitLines = (text: string): Array<string> => {
  const lines = text.split(lineEnd)
  if (lines.at(-1) === "") lines.pop()
  return lines
}

/** Characters as Python counts them: code points. */
export const charsOf = (text: string): ReadonlyArray<string> => Array.from(text)
export const hasPairs = (text: string): boolean => /[\ud800-\udfff]/.test(text)
export const lengthOf = (text: string): number => (hasPairs(text) ? charsOf(text).length : text.length)
