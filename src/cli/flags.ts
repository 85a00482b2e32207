import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { type Field, fieldsOf } from "../domain/config/fields.ts"

/** What the text after a flag may become. */
export type Kind = "boolean" | "number" | "string" | "object" | "list"

/** A command-line flag that sets one field. */
export interface Flag {
  /** Kebab-case, without the dashes. */
  readonly name: string
  readonly field: string
  readonly kinds: ReadonlySet<Kind>
  /** What each part of a list may become. */
  readonly itemKinds: ReadonlySet<Kind>
  readonly description: string
  readonly default: unknown
  /** What is expected, in words. */
  readonly expects: string
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Walks unions and refinements down to what JSON makes of a type. */
const collectKinds = (ast: AST.AST, kinds: Set<Kind>, items: Set<Kind>): void => {
  if (AST.isUnion(ast)) for (const member of ast.types) collectKinds(member, kinds, items)
  else if (AST.isRefinement(ast)) collectKinds(ast.from, kinds, items)
  else if (AST.isLiteral(ast)) kinds.add(typeof ast.literal === "number" ? "number" : "string")
  else if (AST.isBooleanKeyword(ast)) kinds.add("boolean")
  else if (AST.isNumberKeyword(ast)) kinds.add("number")
  else if (AST.isTypeLiteral(ast)) kinds.add("object")
  else if (AST.isTupleType(ast)) {
    kinds.add("list")
    for (const { type } of ast.rest) collectKinds(type, items, items)
  } else if (!AST.isUndefinedKeyword(ast)) kinds.add("string")
}

const describeType = (ast: AST.AST): string => {
  const described = ast.annotations[AST.DescriptionAnnotationId]
  if (typeof described === "string") return described
  if (!AST.isUnion(ast)) return String(ast)
  return ast.types
    .filter((member) => !AST.isUndefinedKeyword(member))
    .map(describeType)
    .join(" or ")
}

const toFlag = (field: Field): Flag => {
  const kinds = new Set<Kind>()
  const itemKinds = new Set<Kind>()
  collectKinds(field.type, kinds, itemKinds)
  return {
    name: kebab(field.name),
    field: field.name,
    kinds,
    itemKinds,
    description: field.description,
    default: field.default,
    expects: describeType(field.type)
  }
}

/** One flag for each field of a struct Schema, in its order. */
export const flagsOf = <A, I>(schema: Schema.Schema<A, I>, except: ReadonlyArray<string> = []): ReadonlyArray<Flag> =>
  fieldsOf(schema.ast)
    .filter(({ name }) => !except.includes(name))
    .map(toFlag)

/** A flag alone on the line, without a value: `--json`. */
export const isSwitch = (flag: Flag): boolean => flag.kinds.has("boolean") && flag.kinds.size === 1
