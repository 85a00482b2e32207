import { digits, negate, oneOf, type Ranges, spaces, union, wordChars } from "../charset.ts"
import { type Cursor, regexFault } from "./cursor.ts"

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, "0": 0, a: 7, e: 27 }
const named: Readonly<Record<string, Ranges>> = {
  d: digits,
  D: negate(digits),
  w: wordChars,
  W: negate(wordChars),
  s: spaces,
  S: negate(spaces)
}

/** Characters with a Unicode property, found by asking JavaScript's own regexes, which know the table. */
const properties = new Map<string, Ranges>()
const propertyRanges = (cursor: Cursor, name: string): Ranges => {
  const known = properties.get(name)
  if (known !== undefined) return known
  let test: RegExp
  try {
    test = new RegExp(`^\\p{${name}}$`, "u")
  } catch {
    throw regexFault(cursor, `the property ${name}`, "Use one that JavaScript knows, such as L, Lu, N or Script=Greek.")
  }
  const out: Array<[number, number]> = []
  for (let code = 0; code <= 0x10ffff; code++) {
    if (!test.test(String.fromCodePoint(code))) continue
    const last = out.at(-1)
    if (last !== undefined && last[1] === code - 1) last[1] = code
    else out.push([code, code])
  }
  const ranges = union(out)
  properties.set(name, ranges)
  return ranges
}

const hex = (cursor: Cursor, digits: string, skip: number): Ranges => {
  const code = Number.parseInt(digits, 16)
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw regexFault(cursor, `the code point ${digits}`, "Write a character that can stand in UTF-8.")
  cursor.at += skip
  return [[code, code]]
}

/** Reads `\...`, as it may stand inside of a class and outside. */
export const classEscape = (cursor: Cursor): Ranges => {
  const { pattern } = cursor
  const rest = pattern.slice(cursor.at, cursor.at + 64).join("")
  const next = pattern[cursor.at + 1]
  if (next === undefined) throw regexFault(cursor, "a \\ at the end", "Write \\\\ for the character itself.")
  const pair = /^\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(rest)
  if (pair !== null) {
    const [high, low] = [Number.parseInt(pair[1]!, 16), Number.parseInt(pair[2]!, 16)]
    return hex(cursor, (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).toString(16), pair[0].length)
  }
  const code = /^\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\})/.exec(rest)
  if (code !== null) return hex(cursor, code[1] ?? code[2] ?? code[3]!, code[0].length)
  const property = /^\\([pP])\{([\w=]+)\}/.exec(rest)
  if (property !== null) {
    const ranges = propertyRanges(cursor, property[2]!)
    cursor.at += property[0].length
    return property[1] === "p" ? ranges : negate(ranges)
  }
  const known = Object.hasOwn(named, next) ? named[next] : undefined
  const control = Object.hasOwn(controls, next) ? controls[next] : undefined
  if (known === undefined && control === undefined && /[A-Za-z0-9]/.test(next))
    throw regexFault(cursor, `the escape \\${next}`, "It is not known: write the characters themselves.")
  cursor.at += 2
  return known ?? (control === undefined ? oneOf(next) : [[control, control]])
}

/** Reads `[...]`. */
export const readClass = (cursor: Cursor): Ranges => {
  const { pattern } = cursor
  const opened = cursor.at
  cursor.at++
  const inverted = pattern[cursor.at] === "^"
  if (inverted) cursor.at++
  const sets: Array<Ranges> = []
  while (pattern[cursor.at] !== "]") {
    const from = readMember(cursor, opened)
    const after = pattern[cursor.at + 1]
    if (pattern[cursor.at] !== "-" || after === undefined || after === "]") {
      sets.push(from)
      continue
    }
    cursor.at++
    const to = readMember(cursor, opened)
    const [first, last] = [from[0]?.[0] ?? 0, to[0]?.[1] ?? 0]
    const singles = [from, to].every((set) => set.length === 1 && set[0]![0] === set[0]![1])
    if (!singles || last < first)
      throw regexFault(cursor, "a range between no two characters in order", "Turn it round.")
    sets.push([[first, last]])
  }
  cursor.at++
  const all = union(...sets)
  return inverted ? negate(all) : all
}

const readMember = (cursor: Cursor, opened: number): Ranges => {
  const char = cursor.pattern[cursor.at]
  if (char === undefined) throw regexFault({ ...cursor, at: opened }, "a class without its end", "Close it with ].")
  if (char === "\\" && cursor.pattern[cursor.at + 1] === "b") {
    cursor.at += 2
    return [[8, 8]]
  }
  if (char === "\\") return classEscape(cursor)
  cursor.at++
  return oneOf(char)
}
