import { type Native, takes } from "./arguments.ts"
import { equal, keyOf } from "./compare.ts"
import { iterate } from "./iterate.ts"
import type { Run } from "./run.ts"
import { type Dict, type List, numberOf, present, Tuple, Undefined, type Value } from "./value.ts"

/** `update` and the arguments of `dict` and `namespace`: a mapping or pairs, then names. */
export const fill = (
  run: Run,
  dict: Map<Value, Value> | Dict,
  source: Value | undefined,
  named: ReadonlyMap<string, Value>
) => {
  const target = dict as Dict
  if (source instanceof Map) for (const [key, value] of source) target.set(key, value)
  else if (source !== undefined)
    for (const pair of iterate(run, source)) {
      const [key, value] = iterate(run, pair)
      if (key === undefined || value === undefined) return run.fail("expected pairs of a key and a value")
      target.set(keyOf(run, key), value)
    }
  for (const [key, value] of named) target.set(key, value)
  run.spendOnItems(target.size)
  return target
}

const pairs = (dict: Dict): List => Array.from(dict, ([key, value]) => Tuple.pair(key, value))

/** A method that reads the whole dict. */
const reader = (name: string, read: (dict: Dict) => Value): readonly [string, Native<Dict>] => [
  name,
  takes<Dict>(name, [], (run, dict) => {
    run.spendOnItems(dict.size)
    return read(dict)
  })
]

/** Methods of a dict. What they change is this rendering's own copy, never the caller's object. */
export const dictMethods: ReadonlyMap<string, Native<Dict>> = new Map<string, Native<Dict>>([
  [
    "get",
    takes(
      "get",
      ["key", "default"],
      (run, dict, [key = null, otherwise = null]) => present(dict.get(keyOf(run, key)), otherwise) as Value
    )
  ],
  reader("items", pairs),
  reader("keys", (dict) => [...dict.keys()]),
  reader("values", (dict) => [...dict.values()]),
  reader("copy", (dict) => new Map(dict)),
  [
    "update",
    (run, dict, { positional, named }) => {
      fill(run, dict, positional[0], named)
      return null
    }
  ],
  [
    "setdefault",
    takes("setdefault", ["key", "default"], (run, dict, [key = null, value = null]) => {
      const name = keyOf(run, key)
      if (!dict.has(name)) dict.set(name, value)
      return dict.get(name)!
    })
  ],
  [
    "pop",
    takes("pop", ["key", "default"], (run, dict, [key = null, otherwise]) => {
      const name = keyOf(run, key)
      const value = present(dict.get(name), otherwise)
      if (value === undefined) return run.fail(`there is no key ${String(name)}`)
      dict.delete(name)
      return value
    })
  ]
])

const mutable = (run: Run, list: List): List => (list instanceof Tuple ? run.fail("a tuple cannot be changed") : list)

export const listMethods: ReadonlyMap<string, Native<List>> = new Map<string, Native<List>>([
  [
    "append",
    takes("append", ["item"], (run, list, [item = null]) => {
      mutable(run, list).push(item)
      return null
    })
  ],
  [
    "extend",
    takes("extend", ["items"], (run, list, [items = null]) => {
      const more = [...iterate(run, items)]
      run.spendOnItems(list.length + more.length)
      for (const item of more) mutable(run, list).push(item)
      return null
    })
  ],
  [
    "insert",
    takes("insert", ["index", "item"], (run, list, [index = 0, item = null]) => {
      run.spendOnItems(list.length)
      mutable(run, list).splice(numberOf(index) ?? 0, 0, item)
      return null
    })
  ],
  [
    "pop",
    takes("pop", ["index"], (run, list, [index = -1]) => {
      run.spendOnItems(list.length)
      const [item] = mutable(run, list).splice(numberOf(index) ?? -1, 1)
      return item === undefined ? run.fail("pop from an empty list") : item
    })
  ],
  [
    "copy",
    takes("copy", [], (run, list) => {
      run.spendOnItems(list.length)
      return [...list]
    })
  ],
  [
    "index",
    takes("index", ["item"], (run, list, [item = new Undefined("no item")]) => {
      const at = list.findIndex((other) => equal(run, other, item))
      return at >= 0 ? at : run.fail("the item is not in the list")
    })
  ],
  [
    "count",
    takes(
      "count",
      ["item"],
      (run, list, [item = new Undefined("no item")]) => list.filter((other) => equal(run, other, item)).length
    )
  ]
])
