import { everything, lineEnds, type Ranges, subtract } from "../charset.ts"
import { alt, chars, type Expr, optional, repeat, seq, star } from "../expr.ts"
import { classEscape, readClass } from "./classes.ts"
import { type Cursor, regexFault } from "./cursor.ts"

const anything = star(chars(everything))
const deepest = 200

/**
 * A regular expression as an expression over characters. `whole`: it matches the whole text, as structured outputs ask;
 * otherwise it may match anywhere in it, as JSON Schema has it, save where it is anchored.
 */
export const parseRegex = (pattern: string, whole: boolean): Expr => {
  const cursor: Cursor = { pattern: [...pattern], at: 0 }
  const branches = readBranches(cursor, 0)
  if (cursor.at < cursor.pattern.length)
    throw regexFault(cursor, "an unmatched )", "Escape it, or open a group before it.")
  return alt(
    ...branches.map(({ fromStart, items, toEnd }) =>
      seq(...(whole || fromStart ? [] : [anything]), ...items, ...(whole || toEnd ? [] : [anything]))
    )
  )
}

interface Branch {
  readonly fromStart: boolean
  readonly items: ReadonlyArray<Expr>
  readonly toEnd: boolean
}

const readBranches = (cursor: Cursor, depth: number): Array<Branch> => {
  if (depth > deepest) throw regexFault(cursor, `groups nested deeper than ${deepest}`, "Flatten it.")
  const branches = [readBranch(cursor, depth)]
  while (cursor.pattern[cursor.at] === "|") {
    cursor.at++
    branches.push(readBranch(cursor, depth))
  }
  return branches
}

const readBranch = (cursor: Cursor, depth: number): Branch => {
  const { pattern } = cursor
  const items: Array<Expr> = []
  let [fromStart, toEnd] = [false, false]
  while (cursor.at < pattern.length && pattern[cursor.at] !== "|" && pattern[cursor.at] !== ")") {
    const char = pattern[cursor.at]!
    if (char === "^" || char === "$") {
      const after = pattern[cursor.at + 1]
      const edge = char === "^" ? items.length === 0 : after === undefined || after === "|"
      if (depth > 0 || !edge)
        throw regexFault(cursor, `${char} inside of the pattern`, "Put anchors at the ends of the whole pattern only.")
      if (char === "^") fromStart = true
      else toEnd = true
      cursor.at++
      continue
    }
    items.push(readQuantified(cursor, depth))
  }
  return { fromStart, items, toEnd }
}

const readQuantified = (cursor: Cursor, depth: number): Expr => {
  const atom = readAtom(cursor, depth)
  const { pattern } = cursor
  const char = pattern[cursor.at]
  const bounds = char === "{" ? readBounds(cursor) : undefined
  let made: Expr = atom
  if (char === "*" || char === "+" || char === "?") {
    cursor.at++
    made = char === "*" ? star(atom) : char === "?" ? optional(atom) : repeat(atom, 1, Number.POSITIVE_INFINITY)
  } else if (bounds === undefined) return atom
  else made = repeat(atom, ...bounds)
  // A lazy quantifier matches the same texts; a possessive one does not.
  if (pattern[cursor.at] === "?") cursor.at++
  else if (
    "*+{".includes(pattern[cursor.at] ?? " ") &&
    (pattern[cursor.at] !== "{" || peekBounds(cursor) !== undefined)
  )
    throw regexFault(cursor, "a second quantifier", "Put the first one into a group.")
  return made
}

const peekBounds = ({ pattern, at }: Cursor) => /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(pattern.slice(at, at + 18).join(""))

/** `{m}`, `{m,}`, `{m,n}`; undefined when the brace stands for itself. */
const readBounds = (cursor: Cursor): [min: number, max: number] | undefined => {
  const found = peekBounds(cursor)
  if (found === null) return undefined
  const min = Number(found[1])
  const max = found[2] === undefined ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3])
  if (max < min) throw regexFault(cursor, found[0], "Its bounds are out of order.")
  cursor.at += found[0].length
  return [min, max]
}

const readAtom = (cursor: Cursor, depth: number): Expr => {
  const char = cursor.pattern[cursor.at]!
  if ("*+?".includes(char)) throw regexFault(cursor, `${char} with nothing before it`, "Escape it.")
  if (char === "{" && peekBounds(cursor) !== null) throw regexFault(cursor, "{ with nothing before it", "Escape it.")
  if (char === "(") return readGroup(cursor, depth)
  if (char === "[") return chars(readClass(cursor))
  if (char === "\\") return chars(readEscape(cursor))
  cursor.at++
  if (char === ".") return chars(subtract(everything, lineEnds))
  return chars(single(cursor, char))
}

const single = (cursor: Cursor, char: string): Ranges => {
  const code = char.codePointAt(0)!
  if (code >= 0xd800 && code <= 0xdfff)
    throw regexFault(cursor, "half of a surrogate pair", "Write the whole character.")
  return [[code, code]]
}

const readEscape = (cursor: Cursor): Ranges => {
  const next = cursor.pattern[cursor.at + 1] ?? ""
  if (/[bBAZzGRXK]/.test(next))
    throw regexFault(cursor, `the assertion \\${next}`, "Say which characters stand there instead.")
  if (/[1-9k]/.test(next)) throw regexFault(cursor, "a back reference", "No grammar can look back: write it out.")
  return classEscape(cursor)
}

const readGroup = (cursor: Cursor, depth: number): Expr => {
  const { pattern } = cursor
  const rest = pattern.slice(cursor.at, cursor.at + 80).join("")
  const plain = /^\((\?:|\?P?<[A-Za-z_]\w*>)?/.exec(rest)![0]
  if (plain === "(" && rest.startsWith("(?"))
    throw regexFault(cursor, `the group ${rest.slice(0, 4)}`, "Only (...), (?:...) and named groups are known.")
  cursor.at += [...plain].length
  const branches = readBranches(cursor, depth + 1)
  if (pattern[cursor.at] !== ")") throw regexFault(cursor, "a group without its end", "Close it with ).")
  cursor.at++
  return alt(...branches.map(({ items }) => seq(...items)))
}
