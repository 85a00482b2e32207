import { between, digits, everything, oneOf, type Ranges, subtract, union } from "../charset.ts"
import { alt, chars, type Expr, optional, ref, repeat, seq, star, text } from "../expr.ts"

const digit = chars(digits)
const hexDigit = chars(union(digits, between("a", "f"), between("A", "F")))

/** Characters that stand in a JSON string as they are. */
export const plain: Ranges = subtract(everything, union([[0, 0x1f]], oneOf('"\\')))

/** A space is allowed after brackets, commas and colons and before closing brackets: one, so that no reply wanders in it. */
export const gap = optional(text(" "))
export const comma = seq(text(","), gap)

/** `\uXXXX`: a character of the basic plane, or a surrogate pair. */
const unicodeEscape = seq(
  text("\\u"),
  alt(
    seq(chars(union(between("0", "9"), oneOf("abcefABCEF"))), hexDigit, hexDigit, hexDigit),
    seq(chars(oneOf("dD")), chars(between("0", "7")), hexDigit, hexDigit),
    seq(
      chars(oneOf("dD")),
      chars(oneOf("89abAB")),
      hexDigit,
      hexDigit,
      text("\\u"),
      chars(oneOf("dD")),
      chars(oneOf("cdefCDEF")),
      hexDigit,
      hexDigit
    )
  )
)

/** One character (code point) of a string, in any of its spellings. */
export const character: Expr = alt(chars(plain), seq(text("\\"), chars(oneOf('"\\/bfnrt'))), unicodeEscape)

export const quoted = (inner: Expr): Expr => seq(text('"'), inner, text('"'))

const digitsUpTo = (most: number) => repeat(digit, 0, most)

/** Whole numbers that a double holds exactly, of 15 digits at most, and no -0. */
export const integer: Expr = alt(text("0"), seq(optional(text("-")), chars(between("1", "9")), digitsUpTo(14)))

/** Numbers with an end: 15 digits before the point and behind it, two in the exponent. None overflows a double. */
export const number: Expr = seq(
  optional(text("-")),
  alt(text("0"), seq(chars(between("1", "9")), digitsUpTo(14))),
  optional(seq(text("."), repeat(digit, 1, 15))),
  optional(seq(chars(oneOf("eE")), optional(chars(oneOf("+-"))), repeat(digit, 1, 2)))
)

/** `{...}` whose members, if any, are `members`. */
export const braces = (members: Expr): Expr => seq(text("{"), gap, members, text("}"))
export const brackets = (items: Expr): Expr => seq(text("["), gap, items, text("]"))

export const valueRule = "$json.value"
export const stringRule = "$json.string"
export const objectRule = "$json.object"

/** Any JSON value. The same rules in every grammar: what is known of their tokens is shared. */
export const jsonRules: ReadonlyMap<string, Expr> = new Map<string, Expr>([
  [stringRule, quoted(star(character))],
  ["$json.integer", integer],
  ["$json.number", number],
  ["$json.members", { kind: "members", members: { taken: [], value: valueRule } }],
  [objectRule, braces(optional(seq(ref("$json.members"), gap)))],
  ["$json.array", brackets(optional(seq(ref(valueRule), star(seq(comma, ref(valueRule))), gap)))],
  [
    valueRule,
    alt(
      ref(stringRule),
      ref("$json.number"),
      ref(objectRule),
      ref("$json.array"),
      text("true"),
      text("false"),
      text("null")
    )
  ]
])
