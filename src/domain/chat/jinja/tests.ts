import type { Given } from "./arguments.ts"
import { contains, equal, order } from "./compare.ts"
import type { Run } from "./run.ts"
import { show } from "./show.ts"
import { Callable, isFloat, numberOf, present, Undefined, type Value } from "./value.ts"

type Test = (run: Run, value: Value, argument: Value | undefined) => boolean

const isNumber = (value: Value) => typeof value === "number" || numberOf(value) !== undefined

const remainder = (run: Run, value: Value, divisor: number): number => {
  const number = numberOf(value) ?? run.fail("a number is required")
  return number - divisor * Math.floor(number / divisor)
}

const versus =
  (name: string, holds: (run: Run, a: Value, b: Value) => boolean): Test =>
  (run, value, argument) =>
    argument === undefined ? run.fail(`the test '${name}' needs an argument`) : holds(run, value, argument)

const equals = versus("eq", equal)
const differs = versus("ne", (run, a, b) => !equal(run, a, b))
const less = versus("lt", (run, a, b) => order(run, a, b) < 0)
const atMost = versus("le", (run, a, b) => order(run, a, b) <= 0)
const greater = versus("gt", (run, a, b) => order(run, a, b) > 0)
const atLeast = versus("ge", (run, a, b) => order(run, a, b) >= 0)
const isCased = (text: string) => text.toLowerCase() !== text.toUpperCase()

/** What `value is …` may ask. */
const tests: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["defined", (_, value) => !(value instanceof Undefined)],
  ["undefined", (_, value) => value instanceof Undefined],
  ["none", (_, value) => value === null],
  ["boolean", (_, value) => typeof value === "boolean"],
  ["true", (_, value) => value === true],
  ["false", (_, value) => value === false],
  ["string", (_, value) => typeof value === "string"],
  ["number", (_, value) => isNumber(value)],
  ["integer", (_, value) => typeof value === "number" && !isFloat(value)],
  ["float", (_, value) => isFloat(value)],
  ["mapping", (_, value) => value instanceof Map],
  ["iterable", (_, value) => isIterable(value)],
  ["sequence", (_, value) => isIterable(value)],
  ["callable", (_, value) => value instanceof Callable],
  ["escaped", () => false],
  ["odd", (run, value) => remainder(run, value, 2) === 1],
  ["even", (run, value) => remainder(run, value, 2) === 0],
  ["divisibleby", (run, value, by) => remainder(run, value, numberOf(by) || run.fail("division by zero")) === 0],
  ["lower", (run, value) => isCased(show(run, value)) && show(run, value) === show(run, value).toLowerCase()],
  ["upper", (run, value) => isCased(show(run, value)) && show(run, value) === show(run, value).toUpperCase()],
  ["sameas", versus("sameas", (_, a, b) => a === b)],
  ["in", versus("in", (run, item, container) => contains(run, container, item))],
  ...["eq", "equalto", "=="].map((name) => [name, equals] as const),
  ...["ne", "!="].map((name) => [name, differs] as const),
  ...["lt", "lessthan", "<"].map((name) => [name, less] as const),
  ...["le", "<="].map((name) => [name, atMost] as const),
  ...["gt", "greaterthan", ">"].map((name) => [name, greater] as const),
  ...["ge", ">="].map((name) => [name, atLeast] as const)
])

/** Texts, lists, dicts, and what is undefined: a loop over that runs no time. */
const isIterable = (value: Value): boolean =>
  typeof value === "string" || Array.isArray(value) || value instanceof Map || value instanceof Undefined

export const applyTest = (run: Run, name: string, value: Value, { positional, named }: Given): boolean => {
  const test = tests.get(name) ?? run.fail(`there is no test named '${name}'`)
  if (typeof value === "string") run.spendOn(value.length)
  return test(run, value, present(positional[0], [...named.values()][0]))
}
