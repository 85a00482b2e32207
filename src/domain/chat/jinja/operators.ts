import type { CompareOperator } from "./ast.ts"
import { contains, equal, order } from "./compare.ts"
import type { Run } from "./run.ts"
import { floatOf, isFloat, numberOf, truthy, typeName, Undefined, type Value } from "./value.ts"

export const unary = (run: Run, operator: "-" | "+" | "not", value: Value): Value => {
  if (operator === "not") return !truthy(value)
  const number =
    numberOf(value) ??
    run.fail(
      value instanceof Undefined ? value.problem : `bad operand type for unary ${operator}: '${typeName(value)}'`
    )
  const signed = operator === "-" ? -number : number
  return isFloat(value) ? floatOf(signed) : signed + 0
}

export const holds = (run: Run, operator: CompareOperator, left: Value, right: Value): boolean => {
  switch (operator) {
    case "==":
      return equal(run, left, right)
    case "!=":
      return !equal(run, left, right)
    case "in":
      return contains(run, right, left)
    case "not in":
      return !contains(run, right, left)
    case "<":
      return order(run, left, right) < 0
    case "<=":
      return order(run, left, right) <= 0
    case ">":
      return order(run, left, right) > 0
    case ">=":
      return order(run, left, right) >= 0
  }
}
