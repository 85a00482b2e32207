import type { BinaryOperator } from "./ast.ts"
import { formatPercent } from "./format.ts"
import type { Run } from "./run.ts"
import { floatOf, isFloat, numberOf, Tuple, typeName, Undefined, type Value } from "./value.ts"

const repeat = (run: Run, value: Value, count: number): Value | undefined => {
  if (!Number.isInteger(count)) return undefined
  const times = Math.max(0, count)
  if (typeof value === "string") {
    run.spendOn(value.length * times)
    return value.repeat(times)
  }
  if (!Array.isArray(value)) return undefined
  run.spendOnItems(value.length * times)
  return Array.from({ length: times }, () => value).flat(1)
}

const add = (run: Run, left: Value, right: Value): Value | undefined => {
  if (typeof left === "string" && typeof right === "string") return run.text(left + right)
  if (!Array.isArray(left) || !Array.isArray(right) || left instanceof Tuple !== right instanceof Tuple)
    return undefined
  run.spendOnItems(left.length + right.length)
  return left.concat(right)
}

const divided = (run: Run, operator: BinaryOperator, a: number, b: number): number => {
  if (b === 0) return run.fail("division by zero")
  if (operator === "/") return a / b
  // Python's remainder has the divisor's sign.
  return operator === "//" ? Math.floor(a / b) : a - b * Math.floor(a / b)
}

const compute = (run: Run, operator: BinaryOperator, a: number, b: number): number => {
  if (operator === "+") return a + b
  if (operator === "-") return a - b
  if (operator === "*") return a * b
  if (operator !== "**") return divided(run, operator, a, b)
  const power = a ** b
  return Number.isFinite(power) ? power : run.fail(`${a} ** ${b} is no number that a template can hold`)
}

/** Python's arithmetic, with what it means for texts and lists. */
export const arithmetic = (run: Run, operator: BinaryOperator, left: Value, right: Value): Value => {
  for (const side of [left, right]) if (side instanceof Undefined) run.fail(side.problem)
  const a = numberOf(left)
  const b = numberOf(right)
  if (a !== undefined && b !== undefined) {
    const result = compute(run, operator, a, b)
    const float = operator === "/" || isFloat(left) || isFloat(right) || (operator === "**" && b < 0)
    return float ? floatOf(result) : result
  }
  if (operator === "%" && typeof left === "string") return formatPercent(run, left, right)
  const value =
    operator === "+"
      ? add(run, left, right)
      : operator === "*" && (a ?? b) !== undefined
        ? repeat(run, a === undefined ? left : right, (a ?? b)!)
        : undefined
  if (value !== undefined) return value
  return run.fail(`unsupported operand types for ${operator}: '${typeName(left)}' and '${typeName(right)}'`)
}
