import { alt, type Expr, never, repeat, seq } from "../expr.ts"

type Length = readonly [min: number, max: number]

/** Characters of the texts that match, at least and at most. Of an expression without rules. */
export const lengthOf = (expr: Expr): Length => {
  switch (expr.kind) {
    case "text":
      return [[...expr.text].length, [...expr.text].length]
    case "chars":
      return [1, 1]
    case "seq":
      return expr.items.map(lengthOf).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0])
    case "alt": {
      const all = expr.items.map(lengthOf)
      return [Math.min(...all.map(([min]) => min)), Math.max(...all.map(([, max]) => max))]
    }
    case "repeat": {
      const [min, max] = lengthOf(expr.body)
      return [min * expr.min, max === 0 || expr.max === 0 ? 0 : max * expr.max]
    }
    default:
      return [0, Number.POSITIVE_INFINITY]
  }
}

/**
 * The texts of an expression that have `min` to `max` characters; undefined when the expression does not show how: it does
 * when its length hangs on one repetition of a part of fixed length.
 */
export const withLength = (expr: Expr, min: number, max: number): Expr | undefined => {
  const [least, most] = lengthOf(expr)
  if (least >= min && most <= max) return expr
  if (most < min || least > max) return never
  if (expr.kind === "alt") {
    const items = expr.items.map((item) => withLength(item, min, max))
    return items.every((item) => item !== undefined) ? alt(...items) : undefined
  }
  if (expr.kind === "repeat") {
    const [one, alsoOne] = lengthOf(expr.body)
    if (one !== alsoOne || one === 0) return undefined
    const rounds = [Math.max(expr.min, Math.ceil(min / one)), Math.min(expr.max, Math.floor(max / one))] as const
    return rounds[0] > rounds[1] ? never : repeat(expr.body, ...rounds)
  }
  if (expr.kind !== "seq") return undefined
  const lengths = expr.items.map(lengthOf)
  const loose = lengths.flatMap(([a, b], at) => (a === b ? [] : [at]))
  if (loose.length !== 1) return undefined
  const fixed = lengths.reduce((sum, [a], at) => sum + (at === loose[0] ? 0 : a), 0)
  const inner = withLength(expr.items[loose[0]!]!, Math.max(0, min - fixed), max - fixed)
  return inner && seq(...expr.items.map((item, at) => (at === loose[0] ? inner : item)))
}
