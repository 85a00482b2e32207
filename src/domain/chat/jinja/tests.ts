import { contains, equal, order } from "./compare.ts"
import { show } from "./show.ts"
import { type Host, isDict, isFloat, isList, isMissing, isText, numberOf, type Value } from "./value.ts"

type Test = (host: Host, value: Value, argument: Value) => boolean

const remainder = ({ run }: Host, value: Value, divisor: number | undefined): number => {
  const number = numberOf(value) ?? run.fail("a number is required")
  return divisor ? number - divisor * Math.floor(number / divisor) : run.fail("a divisor is required")
}

const isIterable = (value: Value) => isText(value) || isList(value) || isDict(value) || isMissing(value)
const isCased = (text: string) => text.toLowerCase() !== text.toUpperCase()

const equals: Test = (host, a, b) => equal(host, a, b)
const differs: Test = (host, a, b) => !equal(host, a, b)
const less: Test = (host, a, b) => order(host, a, b) < 0
const atMost: Test = (host, a, b) => order(host, a, b) <= 0
const greater: Test = (host, a, b) => order(host, a, b) > 0
const atLeast: Test = (host, a, b) => order(host, a, b) >= 0

/** What `value is …` may ask. */
const tests: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["defined", (_, value) => !isMissing(value)],
  ["undefined", (_, value) => isMissing(value)],
  ["none", (_, value) => value.type === "NullValue"],
  ["boolean", (_, value) => value.type === "BooleanValue"],
  ["true", (_, value) => value.value === true],
  ["false", (_, value) => value.value === false],
  ["string", (_, value) => isText(value)],
  ["number", (_, value) => numberOf(value) !== undefined],
  ["integer", (_, value) => value.type === "IntegerValue"],
  ["float", (_, value) => isFloat(value)],
  ["mapping", (_, value) => isDict(value)],
  ["iterable", (_, value) => isIterable(value)],
  ["sequence", (_, value) => isIterable(value)],
  ["callable", (_, value) => value.type === "FunctionValue"],
  ["odd", (host, value) => remainder(host, value, 2) === 1],
  ["even", (host, value) => remainder(host, value, 2) === 0],
  ["divisibleby", (host, value, by) => remainder(host, value, numberOf(by)) === 0],
  ["lower", (host, value) => isCased(show(host, value)) && show(host, value) === show(host, value).toLowerCase()],
  ["upper", (host, value) => isCased(show(host, value)) && show(host, value) === show(host, value).toUpperCase()],
  ["in", (host, value, container) => contains(host, container, value)],
  ["sameas", (host, a, b) => a === b || (a.type === b.type && equal(host, a, b))],
  ...["eq", "equalto", "=="].map((name) => [name, equals] as const),
  ...["ne", "!="].map((name) => [name, differs] as const),
  ...["lt", "lessthan", "<"].map((name) => [name, less] as const),
  ...["le", "<="].map((name) => [name, atMost] as const),
  ...["gt", "greaterthan", ">"].map((name) => [name, greater] as const),
  ...["ge", ">="].map((name) => [name, atLeast] as const)
])

export const applyTest = (host: Host, name: string, value: Value, argument?: Value): boolean =>
  (tests.get(name) ?? host.run.fail(`there is no test named '${name}'`))(host, value, argument ?? host.make.missing())
