import type { Float } from "./value.ts"

interface At {
  /** In the source, from 1. */
  readonly line: number
}

export interface Arguments {
  readonly positional: ReadonlyArray<Expression>
  readonly named: ReadonlyArray<readonly [string, Expression]>
  /** `*rest` and `**restNamed`. */
  readonly rest?: Expression
  readonly restNamed?: Expression
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**"
export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in"

export interface Filtered extends At {
  readonly kind: "filter"
  /** Absent in `{% filter %}` and `{% set x | f %}`: there it is the block's text. */
  readonly target: Expression | undefined
  readonly name: string
  readonly args: Arguments
}

export interface Call extends At {
  readonly kind: "call"
  readonly callee: Expression
  readonly args: Arguments
}

export type Expression = At &
  (
    | { readonly kind: "const"; readonly value: string | number | boolean | null | Float }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "list" | "tuple"; readonly items: ReadonlyArray<Expression> }
    | { readonly kind: "dict"; readonly entries: ReadonlyArray<readonly [Expression, Expression]> }
    | { readonly kind: "attribute"; readonly target: Expression; readonly name: string }
    | { readonly kind: "item"; readonly target: Expression; readonly key: Expression }
    | { readonly kind: "slice"; readonly target: Expression; readonly bounds: ReadonlyArray<Expression | undefined> }
    | Call
    | Filtered
    | {
        readonly kind: "test"
        readonly target: Expression
        readonly name: string
        readonly args: Arguments
        readonly negated: boolean
      }
    | { readonly kind: "unary"; readonly operator: "-" | "+" | "not"; readonly operand: Expression }
    | {
        readonly kind: "binary"
        readonly operator: BinaryOperator
        readonly left: Expression
        readonly right: Expression
      }
    | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression }
    | {
        readonly kind: "compare"
        readonly first: Expression
        readonly rest: ReadonlyArray<readonly [CompareOperator, Expression]>
      }
    | { readonly kind: "concat"; readonly parts: ReadonlyArray<Expression> }
    | {
        readonly kind: "choice"
        readonly test: Expression
        readonly yes: Expression
        readonly no: Expression | undefined
      }
  )

/** Where a value goes: a name, a namespace's attribute, or several of them. */
export type Target =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "member"; readonly name: string; readonly attribute: string }
  | { readonly kind: "tuple"; readonly items: ReadonlyArray<Target> }

export interface Parameter {
  readonly name: string
  readonly fallback: Expression | undefined
}

export type Block = ReadonlyArray<Statement>

/** A macro, or the body of a call block, which is one without a name. */
export interface Macro extends At {
  readonly kind: "macro"
  readonly name: string
  readonly parameters: ReadonlyArray<Parameter>
  readonly body: Block
  /** Which of `varargs`, `kwargs` and `caller` the body names: only then may they be given. */
  readonly uses: ReadonlySet<string>
}

export interface For extends At {
  readonly kind: "for"
  readonly target: Target
  readonly items: Expression
  readonly condition: Expression | undefined
  readonly recursive: boolean
  readonly body: Block
  readonly otherwise: Block
}

export type Statement =
  | For
  | Macro
  | (At &
      (
        | { readonly kind: "text"; readonly text: string }
        | { readonly kind: "print"; readonly value: Expression }
        | { readonly kind: "if"; readonly test: Expression; readonly yes: Block; readonly no: Block }
        | { readonly kind: "set"; readonly target: Target; readonly value: Expression }
        /** `{% set x | filters %}…{% endset %}`; without a target `{% filter filters %}…{% endfilter %}`. */
        | {
            readonly kind: "capture"
            readonly target: Target | undefined
            readonly filters: Expression | undefined
            readonly body: Block
          }
        | { readonly kind: "callBlock"; readonly call: Call; readonly caller: Macro }
        | {
            readonly kind: "with"
            readonly bindings: ReadonlyArray<readonly [Target, Expression]>
            readonly body: Block
          }
        | { readonly kind: "break" | "continue" }
      ))
