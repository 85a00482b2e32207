import { show } from "../config/show.ts"
import { parseEbnf } from "./ebnf.ts"
import { alt, type Expr, type Grammar, ref, repeat, seq, text } from "./expr.ts"
import { GrammarFault } from "./fault.ts"
import { schemaGrammar } from "./json/compile.ts"
import { jsonRules, objectRule } from "./json/rules.ts"
import type { Json } from "./json/schema.ts"
import { parseRegex } from "./regex/parse.ts"
import type { GrammarSource } from "./source.ts"

/** Characters of a source, at most. */
const mostText = 1_000_000

const kinds = ["json", "regex", "choice", "grammar", "jsonObject", "text", "sequence", "either", "many"] as const

/** Whichever of the forms is given: exactly one. */
export const kindOf = (source: GrammarSource) => {
  const given = kinds.filter((kind) => (source as Readonly<Record<string, unknown>>)[kind] !== undefined)
  if (given.length !== 1)
    throw new GrammarFault(
      "",
      given.length === 0 ? "none of them" : given.join(" and "),
      "one of json, regex, choice, grammar, jsonObject",
      "Say in one way what the reply must conform to."
    )
  return given[0]!
}

/** Runs `make`; what it finds wrong is wrong with the source of that kind. */
export const within = <A>(kind: string, make: () => A): A => {
  try {
    return make()
  } catch (fault) {
    if (fault instanceof GrammarFault)
      throw new GrammarFault(`.${kind}${fault.at}`, fault.given, fault.expected, fault.mend)
    // Schemas may be nested deeper than the stack is.
    if (fault instanceof RangeError)
      throw new GrammarFault(`.${kind}`, "something nested too deeply", "what a stack can hold", "Flatten it.")
    throw fault
  }
}

const parseJson = (source: string): Json => {
  try {
    return JSON.parse(source) as Json
  } catch (fault) {
    throw new GrammarFault(
      "",
      show(source),
      "the text of a JSON Schema",
      `It is not JSON: ${(fault as Error).message}.`
    )
  }
}

const only = (root: Expr): Grammar => ({ root: "root", rules: new Map([["root", root]]) })

const choices = (list: ReadonlyArray<string>): Grammar => {
  if (list.length === 0 || list.includes(""))
    throw new GrammarFault(
      "",
      show(list),
      "texts that are not empty, at least one",
      "Say what there is to choose from."
    )
  return only(alt(...list.map(text)))
}

const read = (source: GrammarSource): Grammar => {
  const kind = kindOf(source)
  return within(kind, () => {
    const length = typeof source === "object" ? JSON.stringify(source).length : 0
    if (length > mostText) throw new GrammarFault("", `${length} characters`, `at most ${mostText}`, "Make it smaller.")
    if ("json" in source)
      return schemaGrammar(typeof source.json === "string" ? parseJson(source.json) : (source.json as Json))
    if ("regex" in source) return only(parseRegex(source.regex, true))
    if ("choice" in source) return choices(source.choice)
    if ("grammar" in source) return parseEbnf(source.grammar)
    if ("jsonObject" in source) {
      if (source.jsonObject) return { root: objectRule, rules: jsonRules }
      throw new GrammarFault("", "false", "true", "Leave structuredOutputs out for replies of any form.")
    }
    return composed(source)
  })
}

type Composed = Extract<
  GrammarSource,
  { text: string } | { sequence: unknown } | { either: unknown } | { many: unknown }
>

const composed = (source: Composed): Grammar => {
  if ("text" in source) return only(text(source.text))
  const rules = new Map<string, Expr>()
  const embed = (part: GrammarSource) => adopt(read(part), rules)
  if ("sequence" in source) rules.set("root", seq(...source.sequence.map(embed)))
  else if ("either" in source) rules.set("root", alt(...source.either.map(embed)))
  else {
    const one = embed(source.many)
    const more = source.separator === undefined ? one : seq(embed(source.separator), one)
    rules.set("root", seq(one, repeat(more, 0, (source.most ?? Number.POSITIVE_INFINITY) - 1)))
  }
  return { root: "root", rules }
}

/** Takes a grammar's rules into others under names of their own; those that are the same everywhere keep theirs. */
const adopt = (grammar: Grammar, into: Map<string, Expr>): Expr => {
  const prefix = `${into.size}/`
  const rename = (name: string) => (name.startsWith("$") ? name : `${prefix}${name}`)
  for (const [name, expr] of grammar.rules) into.set(rename(name), renamed(expr, rename))
  return ref(rename(grammar.root))
}

const renamed = (expr: Expr, rename: (name: string) => string): Expr => {
  switch (expr.kind) {
    case "ref":
      return { kind: "ref", rule: rename(expr.rule) }
    case "members":
      return { kind: "members", members: { ...expr.members, value: rename(expr.members.value) } }
    case "repeat":
      return { ...expr, body: renamed(expr.body, rename) }
    case "seq":
    case "alt":
      return { kind: expr.kind, items: expr.items.map((item) => renamed(item, rename)) }
    default:
      return expr
  }
}

/** What a request asks its reply to conform to, as a grammar. Throws GrammarFault. */
export const sourceGrammar = (source: GrammarSource): Grammar => read(source)
