import { contains, equal, order } from "./compare.ts"
import { formatPercent } from "./format.ts"
import { show } from "./show.ts"
import { type Host, isFloat, isList, isMissing, isText, numberOf, typeName, type Value } from "./value.ts"

const repeat = ({ run, make }: Host, value: Value, count: number): Value | undefined => {
  if (!Number.isInteger(count) || !(isText(value) || isList(value))) return undefined
  const times = Math.max(0, count)
  if (isText(value)) run.spendOn(value.value.length * times)
  else run.spendOnItems(value.value.length * times)
  return isText(value)
    ? make.text(value.value.repeat(times))
    : make.list(Array.from({ length: times }, () => value.value).flat(1))
}

const add = ({ run, make }: Host, left: Value, right: Value): Value | undefined => {
  if (isText(left) && isText(right)) return make.text(run.text(left.value + right.value))
  if (!isList(left) || !isList(right) || left.type !== right.type) return undefined
  run.spendOnItems(left.value.length + right.value.length)
  return (left.type === "TupleValue" ? make.tuple : make.list)([...left.value, ...right.value])
}

const compute = ({ run }: Host, operator: string, a: number, b: number): number => {
  if (b === 0 && /^[/%]/.test(operator)) return run.fail("division by zero")
  switch (operator) {
    case "+":
      return a + b
    case "-":
      return a - b
    case "*":
      return a * b
    case "/":
      return a / b
    case "//":
      return Math.floor(a / b)
    case "%":
      // Python's remainder has the divisor's sign.
      return a - b * Math.floor(a / b)
    default: {
      const power = a ** b
      return Number.isFinite(power) ? power : run.fail(`${a} ** ${b} is no number that a template can hold`)
    }
  }
}

const arithmetic = (host: Host, operator: string, left: Value, right: Value): Value => {
  const { run, make } = host
  if (isMissing(left) || isMissing(right)) return run.fail(`an operand of ${operator} is undefined`)
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a !== undefined && b !== undefined) {
    const float = operator === "/" || isFloat(left) || isFloat(right) || (operator === "**" && b < 0)
    return (float ? make.float : make.int)(compute(host, operator, a, b))
  }
  if (operator === "%" && isText(left)) return formatPercent(host, left.value, right)
  const value =
    operator === "+"
      ? add(host, left, right)
      : operator === "*" && (a ?? b) !== undefined
        ? repeat(host, a === undefined ? left : right, (a ?? b)!)
        : undefined
  return value ?? run.fail(`unsupported operand types for ${operator}: '${typeName(left)}' and '${typeName(right)}'`)
}

/** Python's operators of two sides, but `and` and `or`. */
export const operate = (host: Host, operator: string, left: Value, right: Value): Value => {
  const { run, make } = host
  switch (operator) {
    case "==":
      return make.bool(equal(host, left, right))
    case "!=":
      return make.bool(!equal(host, left, right))
    case "in":
      return make.bool(contains(host, right, left))
    case "not in":
      return make.bool(!contains(host, right, left))
    case "<":
      return make.bool(order(host, left, right) < 0)
    case "<=":
      return make.bool(order(host, left, right) <= 0)
    case ">":
      return make.bool(order(host, left, right) > 0)
    case ">=":
      return make.bool(order(host, left, right) >= 0)
    case "~":
      return make.text(run.text(show(host, left) + show(host, right)))
    default:
      return arithmetic(host, operator, left, right)
  }
}
