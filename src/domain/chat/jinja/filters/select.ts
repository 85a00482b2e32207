import { attributeGetter } from "../access.ts"
import type { Given, Native } from "../arguments.ts"
import { show } from "../show.ts"
import { applyTest } from "../tests.ts"
import { type Host, iterate, truthy, type Value } from "../value.ts"

/** These filters take any value that is false for no items, even none. */
const itemsOf = (host: Host, value: Value): ReadonlyArray<Value> => (truthy(value) ? iterate(host, value) : [])

/** `select("test", …)`: by a test, or by truth. */
const judge = (host: Host, [name, argument]: ReadonlyArray<Value>): ((value: Value) => boolean) =>
  name === undefined ? truthy : (value) => applyTest(host, show(host, name), value, argument)

const selector =
  (wanted: boolean): Native =>
  (host, value, { positional }) => {
    const test = judge(host, positional)
    return host.make.list(itemsOf(host, value).filter((item) => test(item) === wanted))
  }

const attributeSelector =
  (wanted: boolean): Native =>
  (host, value, { positional: [attribute, ...rest] }) => {
    const get = attributeGetter(host, attribute ?? host.run.fail("an attribute's name is required"))
    const test = judge(host, rest)
    return host.make.list(itemsOf(host, value).filter((item) => test(get(item)) === wanted))
  }

/** `map("filter", …)` or `map(attribute="name", default=…)`. */
export const map =
  (apply: (name: string, value: Value, given: Given) => Value): Native =>
  (host, value, { positional: [name, ...positional], named }) => {
    const attribute = named.get("attribute")
    if (name === undefined && attribute === undefined)
      return host.run.fail("map needs the name of a filter, or attribute=")
    const change =
      name === undefined
        ? attributeGetter(host, attribute, named.get("default"))
        : (item: Value) => apply(show(host, name), item, { positional, named })
    return host.make.list(itemsOf(host, value).map(change))
  }

export const selectFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ["select", selector(true)],
  ["reject", selector(false)],
  ["selectattr", attributeSelector(true)],
  ["rejectattr", attributeSelector(false)]
])
