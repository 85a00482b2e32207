import { alt, type Expr, empty, never, optional, ref, seq, text } from "../expr.ts"
import type { SchemaCompiler } from "./compile.ts"
import { braces, comma, gap } from "./rules.ts"
import { below, type Located, type Schema, type SchemaObject, unsupported } from "./schema.ts"

interface Property {
  readonly required: boolean
  /** `"name": value`. */
  readonly member: Expr
}

/** Declared properties in their order, then required ones that nobody declared: those are what any other key may be. */
const propertiesOf = (schema: SchemaObject, at: string, rest: Located, compiler: SchemaCompiler) => {
  const declared = (schema.properties ?? {}) as Readonly<Record<string, Schema>>
  const required = new Set((schema.required ?? []) as ReadonlyArray<string>)
  const names = new Set([...Object.keys(declared), ...required])
  const list = [...names].map((name): Property => {
    const value = Object.hasOwn(declared, name) ? { schema: declared[name]!, at: below(at, "properties", name) } : rest
    const member = seq(text(`${JSON.stringify(name)}:`), gap, ref(compiler.rule(value)))
    return { required: required.has(name), member }
  })
  return { list, names: [...names] }
}

const checkCounts = (schema: SchemaObject, at: string, list: ReadonlyArray<Property>, open: boolean) => {
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema
  const least = list.filter(({ required }) => required).length
  const most = open ? Number.POSITIVE_INFINITY : list.length
  if ((minProperties as number) > least)
    throw unsupported(at, "minProperties", minProperties, "Name the properties that have to be there as required.")
  if ((maxProperties as number) < most)
    throw unsupported(at, "maxProperties", maxProperties, "Forbid additionalProperties, or leave it out.")
}

/** Properties in their declared order, the optional ones or not, then others where they are allowed. No key stands twice. */
export const objectOf = (schema: SchemaObject, at: string, compiler: SchemaCompiler): Expr => {
  const rest: Located = {
    schema: (schema.additionalProperties ?? true) as Schema,
    at: below(at, "additionalProperties")
  }
  const { list, names } = propertiesOf(schema, at, rest, compiler)
  const open = rest.schema !== false
  checkCounts(schema, at, list, open)
  const others: Expr = open ? { kind: "members", members: { taken: names, value: compiler.rule(rest) } } : never
  const othersRule = compiler.fresh(`others of ${at}`)
  compiler.rules.set(othersRule, others)
  // What may follow once something stands: a rule for each place in the order, so that no two ways through it are drawn twice.
  const prefix = compiler.fresh(`tail of ${at}`)
  const tail = (i: number) => `${prefix} ${i}`
  compiler.rules.set(prefix, never)
  compiler.rules.set(tail(list.length), optional(seq(comma, ref(othersRule))))
  for (let i = list.length - 1; i >= 0; i--) {
    const { required, member } = list[i]!
    const here = seq(comma, member)
    compiler.rules.set(tail(i), seq(required ? here : optional(here), ref(tail(i + 1))))
  }
  const heads: Array<Expr> = []
  for (const [i, { required, member }] of list.entries()) {
    heads.push(seq(member, ref(tail(i + 1)), gap))
    if (required) return braces(alt(...heads))
  }
  heads.push(seq(ref(othersRule), gap))
  return braces(alt(...heads, empty))
}
