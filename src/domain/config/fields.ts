import * as AST from "effect/SchemaAST"

/** One field of a struct Schema, as help texts, flags and error messages need it. */
export interface Field {
  readonly name: string
  readonly description: string
  readonly required: boolean
  /** What stands when it is not given; undefined where that depends on the model or the machine. */
  readonly default: unknown
  readonly type: AST.AST
}

/** The fields of a struct, in the order in which they are written; empty for any other type. */
export const fieldsOf = (ast: AST.AST | undefined): ReadonlyArray<Field> => {
  if (ast === undefined || !AST.isTypeLiteral(ast)) return []
  return ast.propertySignatures.map((property) => ({
    name: String(property.name),
    description: String(property.annotations[AST.DescriptionAnnotationId] ?? ""),
    required: !property.isOptional,
    default: property.annotations[AST.DefaultAnnotationId],
    type: property.type
  }))
}
