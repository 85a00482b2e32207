import type { Ranges } from "./charset.ts"

/** What a stretch of text may be. The one form that schemas, regexes and EBNF are brought into. */
export type Expr =
  | { readonly kind: "text"; readonly text: string }
  /** One character of the set. */
  | { readonly kind: "chars"; readonly ranges: Ranges }
  | { readonly kind: "seq"; readonly items: ReadonlyArray<Expr> }
  /** Any of the items; of none: nothing at all, not even the empty text. */
  | { readonly kind: "alt"; readonly items: ReadonlyArray<Expr> }
  | { readonly kind: "repeat"; readonly body: Expr; readonly min: number; readonly max: number }
  | { readonly kind: "ref"; readonly rule: string }
  | { readonly kind: "members"; readonly members: Members }

/**
 * The members of a JSON object under keys of the writer's choice, at least one, separated by commas: no key twice, and none of
 * `taken`. Keys are written without escapes, so that equal keys are equal bytes.
 */
export interface Members {
  readonly taken: ReadonlyArray<string>
  /** Rule of the values. */
  readonly value: string
}

/**
 * Rules by name, and the one that the whole text must match. A name that begins with "$" means the same rule in every grammar:
 * what was found out about its tokens is shared.
 */
export interface Grammar {
  readonly rules: ReadonlyMap<string, Expr>
  readonly root: string
}

export const text = (value: string): Expr => ({ kind: "text", text: value })
export const chars = (ranges: Ranges): Expr => ({ kind: "chars", ranges })
export const seq = (...items: ReadonlyArray<Expr>): Expr => (items.length === 1 ? items[0]! : { kind: "seq", items })
export const alt = (...items: ReadonlyArray<Expr>): Expr => (items.length === 1 ? items[0]! : { kind: "alt", items })
export const repeat = (body: Expr, min: number, max: number): Expr =>
  min === 1 && max === 1 ? body : { kind: "repeat", body, min, max }
export const optional = (body: Expr): Expr => repeat(body, 0, 1)
export const star = (body: Expr): Expr => repeat(body, 0, Number.POSITIVE_INFINITY)
export const ref = (rule: string): Expr => ({ kind: "ref", rule })
export const empty: Expr = { kind: "seq", items: [] }
export const never: Expr = { kind: "alt", items: [] }
