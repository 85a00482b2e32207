import { type Native, takes } from "../arguments.ts"
import { order } from "../compare.ts"
import type { Run } from "../run.ts"
import { show } from "../show.ts"
import { joinTexts } from "../textShape.ts"
import { numberOf, Tuple, truthy, typeName, Undefined, type Value } from "../value.ts"
import { hasPairs, lengthOf } from "../whitespace.ts"
import { attributeGetter } from "./attribute.ts"
import { batch, folded, groupby, items, keyed, slice, sorted, unique } from "./grouping.ts"

/** The least, or the greatest, the first of equals. */
const extreme = (name: string, sign: 1 | -1): readonly [string, Native] => [
  name,
  takes(name, ["case_sensitive", "attribute"], (run, value, [caseSensitive, attribute]) => {
    const key = keyed(run, attribute, caseSensitive)
    const list = items(run, value)
    if (list.length === 0) return new Undefined("No aggregated item, sequence was empty.")
    return list.reduce((best, item) => (order(run, key(item), key(best)) * sign < 0 ? item : best))
  })
]

const length = (run: Run, value: Value): Value => {
  if (typeof value === "string") {
    if (hasPairs(value)) run.spendOnItems(value.length)
    return lengthOf(run.text(value))
  }
  if (Array.isArray(value)) return value.length
  if (value instanceof Map) return value.size
  return value instanceof Undefined ? 0 : run.fail(`object of type '${typeName(value)}' has no len()`)
}

const dictsort = (
  run: Run,
  value: Value,
  [caseSensitive, by = "key", reverse = false]: ReadonlyArray<Value | undefined>
): Value => {
  if (!(value instanceof Map)) return run.fail(`'${typeName(value)}' object has no items`)
  const at = by === "value" ? 1 : 0
  const pairs = Array.from(value, ([key, item]) => Tuple.pair(key, item))
  return sorted(run, pairs, (pair) => folded((pair as Tuple)[at]!, caseSensitive), truthy(reverse))
}

const sum = (run: Run, value: Value, [attribute, start = 0]: ReadonlyArray<Value | undefined>): number => {
  const get = attributeGetter(run, attribute)
  const numbers = Array.from(items(run, value), (item) => numberOf(get(item)) ?? run.fail("sum adds numbers only"))
  return numbers.reduce((total, number) => total + number, numberOf(start) ?? 0)
}

const atOr = (item: Value | undefined, which: string): Value =>
  item === undefined ? new Undefined(`No ${which} item, sequence was empty.`) : item

export const sequenceFilters: ReadonlyMap<string, Native> = new Map<string, Native>([
  ["length", takes("length", [], length)],
  ["count", takes("count", [], length)],
  ["list", takes("list", [], (run, value) => [...items(run, value)])],
  ["first", takes("first", [], (run, value) => atOr(items(run, value)[0], "first"))],
  ["last", takes("last", [], (run, value) => atOr(items(run, value).at(-1), "last"))],
  [
    "reverse",
    takes("reverse", [], (run, value) =>
      typeof value === "string" ? [...items(run, value)].reverse().join("") : [...items(run, value)].reverse()
    )
  ],
  [
    "join",
    takes("join", ["d", "attribute"], (run, value, [separator = "", attribute]) => {
      const get = attributeGetter(run, attribute)
      return joinTexts(
        run,
        Array.from(items(run, value), (item) => show(run, get(item))),
        show(run, separator)
      )
    })
  ],
  [
    "sort",
    takes(
      "sort",
      ["reverse", "case_sensitive", "attribute"],
      (run, value, [reverse = false, caseSensitive, attribute]) =>
        sorted(run, items(run, value), keyed(run, attribute, caseSensitive), truthy(reverse))
    )
  ],
  ["unique", takes("unique", ["case_sensitive", "attribute"], unique)],
  ["groupby", takes("groupby", ["attribute", "default", "case_sensitive"], groupby)],
  ["batch", takes("batch", ["linecount", "fill_with"], batch)],
  ["slice", takes("slice", ["slices", "fill_with"], slice)],
  ["dictsort", takes("dictsort", ["case_sensitive", "by", "reverse"], dictsort)],
  ["sum", takes("sum", ["attribute", "start"], sum)],
  extreme("min", 1),
  extreme("max", -1),
  [
    "items",
    takes("items", [], (run, value) => {
      if (value instanceof Undefined) return []
      if (!(value instanceof Map)) return run.fail("Can only get item pairs from a mapping.")
      run.spendOnItems(value.size)
      return Array.from(value, ([key, item]) => Tuple.pair(key, item))
    })
  ]
])
