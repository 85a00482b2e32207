import { type Given, givenBy, type Native, takes } from "./arguments.ts"
import { type Dict, type Host, isDict, isText, iterate, type List, numberOf, typeName, type Value } from "./value.ts"

const keyOf = ({ run }: Host, key: Value | undefined): string =>
  isText(key)
    ? key.value
    : run.fail(`a key of a dict is a str in a template, not ${key === undefined ? "nothing" : typeName(key)}`)

/** Fills entries as Python's dict() does: from a mapping or pairs, then by name. */
export const fill = (host: Host, entries: Map<string, Value>, { positional: [source], named }: Given) => {
  if (source !== undefined && isDict(source)) for (const [key, value] of source.value) entries.set(key, value)
  else if (source !== undefined)
    for (const pair of iterate(host, source)) {
      const [key, value] = iterate(host, pair)
      entries.set(keyOf(host, key), value ?? host.make.none())
    }
  for (const [key, value] of named) entries.set(key, value)
  host.run.spendOnItems(entries.size)
  return entries
}

export const pairsOf = ({ run, make }: Host, { value }: Dict): List => {
  run.spendOnItems(value.size)
  return make.list(Array.from(value, ([key, item]) => make.tuple([make.text(key), item])))
}

/** Methods of dicts that the library lacks, or has otherwise than Python. */
export const dictMethods: ReadonlyMap<string, Native<Dict>> = new Map<string, Native<Dict>>([
  [
    "get",
    takes(["key", "default"], (host, { value }, [key, otherwise]) => {
      const found = isText(key) ? value.get(key.value) : undefined
      return found ?? otherwise ?? host.make.none()
    })
  ],
  ["items", takes([], pairsOf)],
  ["copy", (host, { value }) => host.make.dict(fill(host, new Map(value), givenBy([])))],
  [
    "update",
    (host, { value }, given) => {
      fill(host, value, given)
      return host.make.none()
    }
  ]
])

const changes = (
  names: ReadonlyArray<string>,
  body: (host: Host, list: Array<Value>, args: ReadonlyArray<Value>) => void
) =>
  takes<List>(names, (host, list, args) => {
    if (list.type === "TupleValue") return host.run.fail("a tuple cannot be changed")
    host.run.spendOn(list.value.length)
    const given = args.map((argument) => argument ?? host.make.none())
    body(host, list.value, given)
    return host.make.none()
  })

export const listMethods: ReadonlyMap<string, Native<List>> = new Map<string, Native<List>>([
  ["append", changes(["item"], (_, list, [item]) => void list.push(item!))],
  [
    "extend",
    changes(["items"], (host, list, [items]) => {
      const more = [...iterate(host, items!)]
      host.run.spendOnItems(list.length + more.length)
      for (const item of more) list.push(item)
    })
  ],
  ["insert", changes(["index", "item"], (_, list, [index, item]) => void list.splice(numberOf(index) ?? 0, 0, item!))],
  [
    "pop",
    takes(["index"], (host, { type, value }, [index]) => {
      host.run.spendOn(value.length)
      const [item] = type === "TupleValue" ? [] : value.splice(numberOf(index) ?? -1, 1)
      return item ?? host.run.fail("there is no item to pop")
    })
  ]
])
