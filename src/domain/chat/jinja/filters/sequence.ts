import { attributeGetter } from "../access.ts"
import { type Native, takes } from "../arguments.ts"
import { equal, order } from "../compare.ts"
import { pairsOf } from "../containerMethods.ts"
import {
  type Host,
  isDict,
  isList,
  isMissing,
  isText,
  iterate,
  numberOf,
  truthy,
  typeName,
  type Value
} from "../value.ts"
import { lengthOf } from "../whitespace.ts"

type Keyed = (item: Value) => Value

/** What items are sorted or told apart by: without regard to case unless that is asked for. */
const keyed = (host: Host, attribute: Value | undefined, caseSensitive: Value | undefined): Keyed => {
  const get = attributeGetter(host, attribute)
  return (item) => {
    const value = get(item)
    return isText(value) && !truthy(caseSensitive) ? host.make.text(value.value.toLowerCase()) : value
  }
}

const sorted = (host: Host, value: Value, key: Keyed, reverse: boolean) =>
  Array.from(iterate(host, value), (item) => ({ item, key: key(item) })).sort((a, b) =>
    reverse ? order(host, b.key, a.key) : order(host, a.key, b.key)
  )

/** The least, or the greatest, the first of equals. */
const extreme = (sign: 1 | -1): Native =>
  takes(["case_sensitive", "attribute"], (host, value, [caseSensitive, attribute]) => {
    const key = keyed(host, attribute, caseSensitive)
    const [first = host.make.missing(), ...rest] = iterate(host, value)
    return rest.reduce((best, item) => (order(host, key(item), key(best)) * sign < 0 ? item : best), first)
  })

const length = takes([], ({ run, make }, value) => {
  if (isText(value)) return make.int(lengthOf(run.text(value.value)))
  if (isList(value)) return make.int(value.value.length)
  if (isDict(value)) return make.int(value.value.size)
  return isMissing(value) ? make.int(0) : run.fail(`object of type '${typeName(value)}' has no len()`)
})

const unique = takes(["case_sensitive", "attribute"], (host, value, [caseSensitive, attribute]) => {
  const key = keyed(host, attribute, caseSensitive)
  const seen: Array<Value> = []
  const isNew = (item: Value) => {
    const own = key(item)
    return !seen.some((other) => equal(host, other, own)) && seen.push(own) > 0
  }
  return host.make.list(iterate(host, value).filter(isNew))
})

const reverse = takes([], (host, value) => {
  const items = [...iterate(host, value)].reverse()
  return isText(value) ? host.make.text(items.map((item) => item.value).join("")) : host.make.list(items)
})

const sum = takes(["attribute", "start"], (host, value, [attribute, start]) => {
  const { run, make } = host
  const get = attributeGetter(host, attribute)
  const numbers = iterate(host, value).map((item) => numberOf(get(item)) ?? run.fail("sum adds numbers only"))
  const total = numbers.reduce((all, number) => all + number, numberOf(start) ?? 0)
  return (Number.isInteger(total) ? make.int : make.float)(total)
})

/** Pairs of what the items of a group share, and the items. */
const groupby = takes(
  ["attribute", "default", "case_sensitive"],
  (host, value, [attribute, otherwise, caseSensitive]) => {
    const { make } = host
    const get = attributeGetter(host, attribute, otherwise)
    const groups: Array<{ readonly key: Value; readonly shown: Value; readonly items: Array<Value> }> = []
    for (const { item, key } of sorted(host, value, keyed(host, attribute, caseSensitive), false)) {
      const last = groups.at(-1)
      if (last !== undefined && equal(host, last.key, key)) last.items.push(item)
      else groups.push({ key, shown: get(item), items: [item] })
    }
    return make.list(groups.map(({ shown, items }) => make.tuple([shown, make.list(items)])))
  }
)

const batch = takes(["linecount", "fill_with"], (host, value, [linecount, fill]) => {
  const { run, make } = host
  const width = Math.trunc(numberOf(linecount) ?? 0)
  if (width < 1) return run.fail("batch needs a count of at least 1")
  const items = iterate(host, value)
  const rows: Array<Array<Value>> = []
  for (let at = 0; at < items.length; at += width) rows.push(items.slice(at, at + width))
  if (fill !== undefined) run.spendOnItems(width)
  const last = rows.at(-1) ?? []
  while (fill !== undefined && rows.length > 0 && last.length < width) last.push(fill)
  return make.list(rows.map(make.list))
})

export const sequenceFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ["length", length],
  ["count", length],
  ["list", takes([], (host, value) => host.make.list([...iterate(host, value)]))],
  ["first", takes([], (host, value) => iterate(host, value)[0] ?? host.make.missing())],
  ["last", takes([], (host, value) => iterate(host, value).at(-1) ?? host.make.missing())],
  [
    "sort",
    takes(["reverse", "case_sensitive", "attribute"], (host, value, [backwards, caseSensitive, attribute]) =>
      host.make.list(
        sorted(host, value, keyed(host, attribute, caseSensitive), truthy(backwards)).map(({ item }) => item)
      )
    )
  ],
  ["reverse", reverse],
  ["unique", unique],
  ["min", extreme(1)],
  ["max", extreme(-1)],
  ["sum", sum],
  ["groupby", groupby],
  ["batch", batch],
  [
    "items",
    takes([], (host, value) => {
      if (isMissing(value)) return host.make.list([])
      return isDict(value) ? pairsOf(host, value) : host.run.fail("Can only get item pairs from a mapping.")
    })
  ]
])
