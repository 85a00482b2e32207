import { intersect, type Ranges } from "./charset.ts"
import { type Expr, empty, type Grammar } from "./expr.ts"
import { GrammarFault } from "./fault.ts"

/** The rules that an expression names. */
export const refsOf = (expr: Expr, out: Set<string> = new Set()): Set<string> => {
  if (expr.kind === "ref") out.add(expr.rule)
  else if (expr.kind === "members") out.add(expr.members.value)
  else if (expr.kind === "repeat") refsOf(expr.body, out)
  else if (expr.kind === "seq" || expr.kind === "alt") for (const item of expr.items) refsOf(item, out)
  return out
}

/** Whether some text matches, given which rules are known to have one. */
const matchable = (expr: Expr, known: ReadonlySet<string>, writable: (text: string) => boolean): boolean => {
  const of = (inner: Expr) => matchable(inner, known, writable)
  switch (expr.kind) {
    case "text":
      return writable(expr.text)
    case "chars":
      return expr.ranges.length > 0
    case "seq":
      return expr.items.every(of)
    case "alt":
      return expr.items.some(of)
    case "repeat":
      return expr.max >= expr.min && (expr.min === 0 || of(expr.body))
    case "ref":
      return known.has(expr.rule)
    case "members":
      return known.has(expr.members.value)
  }
}

/** The expression without the alternatives that no text matches. */
const rewrite = (expr: Expr, live: (expr: Expr) => boolean): Expr => {
  const of = (inner: Expr) => rewrite(inner, live)
  switch (expr.kind) {
    case "seq":
      return { kind: "seq", items: expr.items.map(of) }
    case "alt":
      return { kind: "alt", items: expr.items.filter(live).map(of) }
    case "repeat":
      return live(expr.body) && expr.max > 0 ? { ...expr, body: of(expr.body) } : empty
    default:
      return expr
  }
}

const narrowed = (expr: Expr, ranges: Ranges): Expr => {
  if (expr.kind === "chars") return { kind: "chars", ranges: intersect(expr.ranges, ranges) }
  if (expr.kind === "repeat") return { ...expr, body: narrowed(expr.body, ranges) }
  if (expr.kind === "seq" || expr.kind === "alt")
    return { kind: expr.kind, items: expr.items.map((item) => narrowed(item, ranges)) }
  return expr
}

/**
 * Leaves what can be written to its end with characters of `writable`, and the rules that the root reaches: afterwards a text
 * that may begin may also end. Refuses a grammar that no text matches.
 */
export const prune = (grammar: Grammar, writable: Ranges, whole: boolean): Grammar => {
  const rules = new Map<string, Expr>()
  for (const [name, expr] of grammar.rules) rules.set(name, whole ? expr : narrowed(expr, writable))
  const mayWrite = (text: string) =>
    whole || [...text].every((char) => intersect([[char.codePointAt(0)!, char.codePointAt(0)!]], writable).length > 0)
  const known = new Set<string>()
  for (let before = -1; known.size > before; ) {
    before = known.size
    for (const [name, expr] of rules) if (!known.has(name) && matchable(expr, known, mayWrite)) known.add(name)
  }
  if (!known.has(grammar.root))
    throw new GrammarFault(
      "",
      "a grammar that no text matches",
      "one that can be met",
      "Look for contradicting bounds, and for rules that require themselves without end."
    )
  const kept = new Map<string, Expr>()
  const pending = [grammar.root]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (kept.has(name)) continue
    const expr = rewrite(rules.get(name)!, (inner) => matchable(inner, known, mayWrite))
    kept.set(name, expr)
    pending.push(...refsOf(expr))
  }
  return { rules: kept, root: grammar.root }
}
