import { equal, order } from "../compare.ts"
import { iterate } from "../iterate.ts"
import type { Run } from "../run.ts"
import { numberOf, Tuple, truthy, Undefined, type Value } from "../value.ts"
import { attributeGetter, attributesGetter } from "./attribute.ts"

export const items = (run: Run, value: Value): ReadonlyArray<Value> => {
  const list = iterate(run, value)
  run.spendOnItems(list.length)
  return list
}

export const folded = (value: Value, caseSensitive: Value | undefined): Value => {
  if (caseSensitive !== undefined && truthy(caseSensitive)) return value
  if (typeof value === "string") return value.toLowerCase()
  return Array.isArray(value) ? value.map((item) => folded(item, false)) : value
}

type Keyed = (item: Value) => Value

export const keyed = (run: Run, attribute: Value | undefined, caseSensitive: Value | undefined): Keyed => {
  const get = attributesGetter(run, attribute)
  return (item) => folded(get(item), caseSensitive)
}

export const sorted = (run: Run, list: ReadonlyArray<Value>, key: Keyed, reverse: boolean): Array<Value> =>
  Array.from(list, (item) => ({ item, key: key(item) }))
    .sort((a, b) => (reverse ? order(run, b.key, a.key) : order(run, a.key, b.key)))
    .map(({ item }) => item)

/** A pair that may also be read as `.grouper` and `.list`. */
class Group extends Tuple {
  attribute(name: string): Value | undefined {
    return name === "grouper" ? this[0] : name === "list" ? this[1] : undefined
  }
}

export const groupby = (
  run: Run,
  value: Value,
  [attribute, otherwise, caseSensitive]: ReadonlyArray<Value | undefined>
): Value => {
  const key = keyed(run, attribute, caseSensitive)
  const get = attributeGetter(run, attribute)
  const keyOr: Keyed = (item) => {
    const found = key(item)
    return found instanceof Undefined && otherwise !== undefined ? otherwise : found
  }
  const groups: Array<Value> = []
  let last: { readonly key: Value; readonly list: Array<Value> } | undefined
  for (const item of sorted(run, items(run, value), keyOr, false)) {
    const itemKey = keyOr(item)
    if (last === undefined || !equal(run, last.key, itemKey)) {
      last = { key: itemKey, list: [] }
      const shown = get(item)
      const group = new Group()
      group.push(shown instanceof Undefined ? itemKey : shown, last.list)
      groups.push(group)
    }
    last.list.push(item)
  }
  return groups
}

export const unique = (run: Run, value: Value, [caseSensitive, attribute]: ReadonlyArray<Value | undefined>): Value => {
  const key = keyed(run, attribute, caseSensitive)
  const seen: Array<Value> = []
  return items(run, value).filter((item) => {
    const own = key(item)
    if (seen.some((other) => equal(run, other, own))) return false
    seen.push(own)
    return true
  })
}

const count = (run: Run, name: string, value: Value | undefined): number => {
  const number = numberOf(value) ?? 0
  return number >= 1 ? Math.trunc(number) : run.fail(`${name}: a count of at least 1 is required`)
}

export const batch = (run: Run, value: Value, [size, fill = null]: ReadonlyArray<Value | undefined>): Value => {
  const width = count(run, "batch", size)
  const list = items(run, value)
  const rows: Array<Array<Value>> = []
  for (let at = 0; at < list.length; at += width) rows.push(Array.from(list.slice(at, at + width)))
  if (fill !== null && rows.length > 0) {
    run.spendOnItems(width)
    const last = rows.at(-1)!
    while (last.length < width) last.push(fill)
  }
  return rows
}

/** Columns of nearly one length, the longer ones first. */
export const slice = (run: Run, value: Value, [columns, fill = null]: ReadonlyArray<Value | undefined>): Value => {
  const number = count(run, "slice", columns)
  const list = items(run, value)
  run.spendOnItems(number)
  const short = Math.floor(list.length / number)
  const longer = list.length % number
  return Array.from({ length: number }, (_, at) => {
    const start = at * short + Math.min(at, longer)
    const part: Array<Value> = Array.from(list.slice(start, start + short + (at < longer ? 1 : 0)))
    if (fill !== null && at >= longer) part.push(fill)
    return part
  })
}
