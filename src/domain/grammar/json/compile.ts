import { alt, type Expr, type Grammar, never, ref } from "../expr.ts"
import { GrammarFault } from "../fault.ts"
import { arrayOf } from "./arrays.ts"
import { disjoint } from "./disjoint.ts"
import { literal, matchesType } from "./literals.ts"
import { merge } from "./merge.ts"
import { objectOf } from "./objects.ts"
import { resolvePointer } from "./pointer.ts"
import { jsonRules, valueRule } from "./rules.ts"
import { numberOf, stringOf } from "./scalars.ts"
import {
  below,
  checkKeywords,
  essence,
  isObject,
  type Json,
  type Located,
  type SchemaObject,
  schemaFault,
  typesOf,
  unsupported
} from "./schema.ts"

/** Alternatives that joining anyOf and allOf may lead to, and references that may follow one another. */
const mostAlternatives = 256
const mostReferences = 64
const mostRules = 20_000

/** Makes rules of schemas: one for each place of the document that is reached. */
export class SchemaCompiler {
  readonly rules = new Map<string, Expr>(jsonRules)
  private readonly names = new Map<SchemaObject | string, string>()

  constructor(private readonly root: Json) {}

  /** The rule of a schema; compiled when first asked for, so that recursion ends. */
  rule({ schema, at }: Located): string {
    if (schema === true) return valueRule
    // What merging has made is a new object each time: its text tells it.
    const key = typeof schema === "object" && schema.allOf === undefined ? schema : JSON.stringify(schema)
    const known = this.names.get(key)
    if (known !== undefined) return known
    const name = this.fresh(at)
    this.names.set(key, name)
    this.rules.set(name, never)
    this.rules.set(name, this.expr({ schema, at }))
    return name
  }

  /** A name that no rule has: one place of the document may have several, by what was merged into it. */
  fresh(name: string): string {
    if (this.rules.size > mostRules)
      throw new GrammarFault("", `more than ${mostRules} rules`, "fewer", "Make it smaller.")
    return this.rules.has(name) ? `${name} (${this.rules.size})` : name
  }

  private expr({ schema, at }: Located): Expr {
    if (typeof schema === "boolean") return schema ? ref(valueRule) : never
    const own = essence(schema)
    checkKeywords({ schema: own, at })
    const names = Object.keys(own)
    const [only] = names
    if (only === undefined) return ref(valueRule)
    if (names.length === 1) {
      if (only === "$ref") return ref(this.rule(this.follow(own.$ref as string, at)))
      if (only === "anyOf" || only === "oneOf") {
        if (only === "oneOf") this.checkOneOf(own, at)
        return alt(...parts(own, only, at).map((part) => ref(this.rule(part))))
      }
    }
    return alt(...this.alternatives({ schema, at }, 0).map((simple) => this.simple(simple, at)))
  }

  /** The schema as alternatives without references and combinators. */
  private alternatives({ schema, at }: Located, depth: number): ReadonlyArray<SchemaObject> {
    if (schema === false) return []
    if (schema === true) return [{}]
    if (depth > mostReferences)
      throw unsupported(at, "$ref", schema.$ref ?? null, "References that come back to themselves say nothing.")
    const { $ref, anyOf, oneOf, allOf, not, const: constant, ...rest } = essence(schema)
    checkKeywords({ schema: essence(schema), at })
    if (not !== undefined && !this.holdsForNone(not)) throw unsupported(at, "not", not, "Say what is allowed instead.")
    if (not !== undefined && this.isEverything(not)) return []
    const own = withConst(rest, constant)
    let sets: ReadonlyArray<SchemaObject> = [own]
    const groups: Array<ReadonlyArray<Located>> = []
    if ($ref !== undefined) groups.push([this.follow($ref as string, at)])
    for (const part of parts({ allOf: allOf ?? [] }, "allOf", at)) groups.push([part])
    if (anyOf !== undefined) groups.push(parts({ anyOf }, "anyOf", at))
    if (oneOf !== undefined) {
      this.checkOneOf({ oneOf }, at)
      groups.push(parts({ oneOf }, "oneOf", at))
    }
    for (const group of groups) {
      const options = group.flatMap((option) => this.alternatives(option, depth + 1))
      sets = sets.flatMap((set) => options.map((option) => merge(set, option, at)))
      if (sets.length > mostAlternatives)
        throw unsupported(
          at,
          "anyOf",
          sets.length,
          `Joined with its neighbours it has more than ${mostAlternatives} cases.`
        )
    }
    return sets
  }

  /** `not` is understood where it allows everything or nothing. */
  private holdsForNone(not: Json): boolean {
    return not === false || this.isEverything(not)
  }

  private isEverything(schema: Json): boolean {
    return schema === true || (isObject(schema) && Object.keys(essence(schema)).length === 0)
  }

  private checkOneOf(schema: SchemaObject, at: string) {
    const options = schema.oneOf as ReadonlyArray<Json>
    const resolve = (option: Json): Json => {
      let [found, steps] = [option, 0]
      while (isObject(found) && typeof found.$ref === "string" && steps++ < mostReferences)
        found = this.follow(found.$ref, at).schema
      return found
    }
    options.forEach((option, i) => {
      const other = options.findIndex((later, j) => j > i && !disjoint(option, later, resolve))
      if (other >= 0)
        throw schemaFault(
          at,
          "oneOf",
          `options ${i} and ${other}, which a value might both fit`,
          "options that no value fits two of",
          "Use anyOf, or require a property whose const differs in each."
        )
    })
  }

  private follow(reference: string, at: string): Located {
    return resolvePointer(this.root, reference, at)
  }

  /** A schema without references and combinators, type by type. */
  private simple(schema: SchemaObject, at: string): Expr {
    const types = typesOf(schema, at)
    if (schema.enum !== undefined) return enumOf(schema, types, at)
    return alt(
      ...types.map((type): Expr => {
        switch (type) {
          case "null":
            return literal(null)
          case "boolean":
            return alt(literal(true), literal(false))
          case "string":
            return stringOf(schema, at)
          case "array":
            return arrayOf(schema, at, this)
          case "object":
            return objectOf(schema, at, this)
          default:
            return numberOf(schema, at, type === "integer", this.rules)
        }
      })
    )
  }
}

const parts = (schema: SchemaObject, keyword: string, at: string): ReadonlyArray<Located> =>
  (schema[keyword] as ReadonlyArray<SchemaObject | boolean>).map((part, i) => ({
    schema: part,
    at: below(at, keyword, i)
  }))

const withConst = (schema: SchemaObject, constant: Json | undefined): SchemaObject => {
  if (constant === undefined) return schema
  return merge(schema, { enum: [constant] }, "#")
}

const enumOf = (schema: SchemaObject, types: ReadonlyArray<string>, at: string): Expr => {
  const beside = Object.keys(schema).find((name) => name !== "enum" && name !== "type")
  if (beside !== undefined)
    throw unsupported(at, beside, schema[beside], "It stands beside enum or const: list the values that fit instead.")
  const values = schema.enum as ReadonlyArray<Json>
  const stated =
    schema.type === undefined ? values : values.filter((value) => types.some((type) => matchesType(value, type)))
  return alt(...stated.map(literal))
}

/** A JSON Schema as a grammar. Refuses, with its JSON pointer, whatever cannot be enforced exactly. */
export const schemaGrammar = (schema: Json): Grammar => {
  if (typeof schema !== "boolean" && !isObject(schema))
    throw new GrammarFault("#", typeof schema, "a schema: an object or a boolean", "Give a JSON Schema.")
  const compiler = new SchemaCompiler(schema)
  return { root: compiler.rule({ schema, at: "#" }), rules: compiler.rules }
}
