import { getOwnAttribute } from "../access.ts"
import type { Given, Native } from "../arguments.ts"
import { iterate } from "../iterate.ts"
import type { Run } from "../run.ts"
import { show } from "../show.ts"
import { applyTest } from "../tests.ts"
import { truthy, type Value } from "../value.ts"
import { attributeGetter } from "./attribute.ts"
import { applyFilter } from "./table.ts"

/** These filters take any value that is false for no items, even none. */
const itemsOf = (run: Run, value: Value): ReadonlyArray<Value> => {
  if (!truthy(value)) return []
  const items = iterate(run, value)
  run.spend(items.length)
  return items
}

/** The arguments that are left for the filter or test that the first ones name. */
const after = ({ positional, named }: Given, taken: number): Given => ({ positional: positional.slice(taken), named })

/** `select("test", …)`: by a test, or by truth. */
const judge = (run: Run, given: Given): ((value: Value) => boolean) => {
  const [name] = given.positional
  if (name === undefined) return truthy
  const rest = after(given, 1)
  return (value) => applyTest(run, show(run, name), value, rest)
}

const selector =
  (wanted: boolean): Native =>
  (run, value, given) => {
    const test = judge(run, given)
    return itemsOf(run, value).filter((item) => test(item) === wanted)
  }

const attributeSelector =
  (wanted: boolean): Native =>
  (run, value, given) => {
    const [attribute] = given.positional
    if (attribute === undefined) return run.fail("an attribute's name is required")
    const get = attributeGetter(run, attribute)
    const test = judge(run, after(given, 1))
    return itemsOf(run, value).filter((item) => test(get(item)) === wanted)
  }

/** `map("filter", …)` or `map(attribute="name", default=…)`. */
const map: Native = (run, value, given) => {
  const attribute = given.named.get("attribute")
  const [name] = given.positional
  if (name === undefined && attribute !== undefined) {
    const get = attributeGetter(run, attribute, given.named.get("default"))
    return Array.from(itemsOf(run, value), get)
  }
  if (name === undefined) return run.fail("map needs the name of a filter, or attribute=")
  const rest = after(given, 1)
  return Array.from(itemsOf(run, value), (item) => applyFilter(run, show(run, name), item, rest))
}

export const selectFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ["map", map],
  ["select", selector(true)],
  ["reject", selector(false)],
  ["selectattr", attributeSelector(true)],
  ["rejectattr", attributeSelector(false)],
  ["attr", (run, value, { positional: [name = ""] }) => getOwnAttribute(run, value, show(run, name))]
])
