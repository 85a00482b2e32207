import { type Expr, empty, never, optional, ref, repeat, seq } from "../expr.ts"
import type { SchemaCompiler } from "./compile.ts"
import { brackets, comma, gap } from "./rules.ts"
import { below, type Schema, type SchemaObject, unsupported } from "./schema.ts"

/** The schemas of the first items, and of those behind them. Before 2020 a list of items was `items`, the rest `additionalItems`. */
const split = (schema: SchemaObject, at: string) => {
  const old = Array.isArray(schema.items)
  const [first, rest] = old ? ["items", "additionalItems"] : ["prefixItems", "items"]
  return {
    first: ((schema[first!] ?? []) as ReadonlyArray<Schema>).map((item, i) => ({
      schema: item,
      at: below(at, first!, i)
    })),
    rest: { schema: (schema[rest!] ?? true) as Schema, at: below(at, rest!) }
  }
}

export const arrayOf = (schema: SchemaObject, at: string, compiler: SchemaCompiler): Expr => {
  const { first, rest } = split(schema, at)
  const [min, max] = [(schema.minItems ?? 0) as number, (schema.maxItems ?? Number.POSITIVE_INFINITY) as number]
  if (schema.uniqueItems === true && max > 1)
    throw unsupported(at, "uniqueItems", true, "Leave it out and check the reply, or list what is allowed as enum.")
  if (min > max) return never
  const item = ref(compiler.rule(rest))
  const behind = (written: number): Expr => {
    const [least, most] = [Math.max(0, min - written), max - written]
    if (written > 0) return repeat(seq(comma, item), least, most)
    const all = seq(item, repeat(seq(comma, item), Math.max(0, min - 1), max - 1))
    return min > 0 ? all : optional(all)
  }
  const from = (i: number): Expr => {
    if (i >= max) return empty
    if (i === first.length) return behind(i)
    const next = ref(compiler.rule(first[i]!))
    const going = seq(i === 0 ? empty : comma, next, from(i + 1))
    return i < min ? going : optional(going)
  }
  return brackets(max === 0 ? empty : seq(from(0), gap))
}
