import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { fieldsOf } from "./fields.ts"
import { nearest } from "./nearest.ts"
import { show } from "./show.ts"

/** One thing wrong with one field: the fields of InvalidOptions and InvalidRequest. */
export interface Problem {
  readonly field: string
  readonly given: string
  readonly expected: string
  readonly mend: string
}

/**
 * Decodes plain data by a struct Schema and lets nothing pass that the Schema does not name, however deep. Left is the
 * first thing wrong. Properties that are `undefined` count as not given.
 */
export const decodeStrict = <A, I>(schema: Schema.Schema<A, I>, given: unknown): Either.Either<A, Problem> =>
  Either.mapLeft(
    Schema.decodeUnknownEither(schema, { onExcessProperty: "error", errors: "first" })(given),
    ({ issue }) => describe(issue, schema.ast, [], undefined)
  )

/** Walks to the innermost pointer. `type` is what the value at `path` had to be: the outermost, best described type. */
const describe = (
  issue: ParseResult.ParseIssue,
  root: AST.AST,
  path: ReadonlyArray<PropertyKey>,
  type: AST.AST | undefined
): Problem => {
  switch (issue._tag) {
    case "Pointer": {
      const steps = Array.isArray(issue.path) ? (issue.path as ReadonlyArray<PropertyKey>) : [issue.path as PropertyKey]
      return describe(issue.issue, root, [...path, ...steps], undefined)
    }
    case "Composite": {
      const inner = Array.isArray(issue.issues) ? (issue.issues as ReadonlyArray<ParseResult.ParseIssue>)[0] : undefined
      const next = inner ?? (issue.issues as ParseResult.ParseIssue)
      // Which member of a union was meant nobody knows: the union as a whole is the answer.
      return AST.isUnion(issue.ast) && optionalType(issue.ast) === undefined
        ? leaf(issue.actual, root, path, type ?? issue.ast)
        : describe(next, root, path, AST.isUnion(issue.ast) ? (type ?? optionalType(issue.ast)) : type)
    }
    case "Refinement":
    case "Transformation":
      return issue.issue._tag === "Pointer" || issue.issue._tag === "Composite"
        ? describe(issue.issue, root, path, type ?? issue.ast)
        : leaf(issue.actual, root, path, type ?? issue.ast)
    case "Unexpected":
      return unknownField(issue.actual, root, path)
    case "Missing":
      return leaf(undefined, root, path, type ?? issue.ast.type)
    default:
      return leaf(issue.actual, root, path, type ?? issue.ast)
  }
}

/** The member of `X | undefined`; undefined for any other union. */
const optionalType = (union: AST.Union): AST.AST | undefined => {
  const members = union.types.filter((member) => !AST.isUndefinedKeyword(member))
  return members.length === 1 ? members[0] : undefined
}

const expected = (ast: AST.AST): string => {
  const described = ast.annotations[AST.DescriptionAnnotationId]
  if (typeof described === "string") return described
  if (!AST.isUnion(ast)) return String(ast)
  return ast.types
    .filter((member) => !AST.isUndefinedKeyword(member))
    .map(expected)
    .join(" or ")
}

const spell = (path: ReadonlyArray<PropertyKey>) =>
  path.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${String(step)}`)).join("")

const leaf = (actual: unknown, root: AST.AST, path: ReadonlyArray<PropertyKey>, type: AST.AST): Problem => {
  const field = fieldsOf(root).find(({ name }) => name === path[0])
  const fallback = field?.default === undefined ? "the default" : `the default, ${show(field.default)}`
  return {
    field: path.length === 0 ? "(all of them)" : spell(path),
    given: show(actual),
    expected: path.length === 0 ? "an object of named values" : expected(type),
    mend: field?.required === true ? `Give ${field.name}.` : `Change it, or leave it out for ${fallback}.`
  }
}

const unknownField = (actual: unknown, root: AST.AST, path: ReadonlyArray<PropertyKey>): Problem => {
  const names = fieldsOf(path.length === 1 ? root : undefined).map(({ name }) => name)
  const key = String(path[path.length - 1])
  const meant = nearest(key, names)
  return {
    field: show(spell(path)).slice(1, -1),
    given: show(actual),
    expected: "a name that exists",
    mend:
      meant === undefined
        ? `Leave it out${names.length > 0 ? `; known are ${names.join(", ")}` : ""}.`
        : `Did you mean ${meant}?`
  }
}
