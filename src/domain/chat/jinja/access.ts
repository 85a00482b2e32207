import { givenBy } from "./arguments.ts"
import { dictMethods, listMethods } from "./containerMethods.ts"
import { textMethods } from "./textMethods.ts"
import { type Host, isDict, isList, isText, spendOnValue, type Value } from "./value.ts"
import { charsOf, hasPairs } from "./whitespace.ts"

/** Methods of the library that do as Python's. */
const asInPython: ReadonlySet<string> = new Set([
  "upper",
  "lower",
  "title",
  "startswith",
  "endswith",
  "split",
  "keys",
  "values"
])

/** How many parts a text falls into, at most. */
const partsIn = (text: string, separator: Value | undefined): number => {
  if (!isText(separator) || separator.value === "") return text.length / 2 + 1
  let parts = 1
  for (let at = text.indexOf(separator.value); at >= 0; at = text.indexOf(separator.value, at + separator.value.length))
    parts++
  return parts
}

const methodOf = (host: Host, value: Value, name: string): Value | undefined => {
  const { run, make } = host
  const bound = <Self extends Value>(
    self: Self,
    methods: ReadonlyMap<string, (h: Host, s: Self, g: ReturnType<typeof givenBy>) => Value>
  ) => {
    const method = methods.get(name)
    return method && make.callable((args) => method(host, self, givenBy(args)))
  }
  const own = isText(value)
    ? bound(value, textMethods)
    : isDict(value)
      ? bound(value, dictMethods)
      : isList(value)
        ? bound(value, listMethods)
        : undefined
  if (own !== undefined || !asInPython.has(name)) return own
  const theirs = value.builtins.get(name)
  if (theirs?.type !== "FunctionValue") return undefined
  return make.callable((args, environment) => {
    for (const part of [value, ...args]) spendOnValue(host, part)
    if (name === "split" && isText(value)) run.spendOnItems(partsIn(value.value, args[0]))
    return theirs.value(args, environment)
  })
}

/** Methods, and the names of a namespace. */
const attributeOf = (host: Host, value: Value, name: string): Value | undefined =>
  value.type === "NamespaceValue" ? value.value.get(name) : methodOf(host, value, name)

const itemOf = ({ run, make }: Host, value: Value, key: Value): Value | undefined => {
  if (isDict(value) || value.type === "NamespaceValue") return isText(key) ? value.value.get(key.value) : undefined
  if (key.type !== "IntegerValue") return undefined
  if (isList(value)) return value.value.at(key.value)
  if (!isText(value)) return undefined
  run.spendOn(hasPairs(value.value) ? value.value.length : 1)
  const char = (hasPairs(value.value) ? charsOf(value.value) : value.value).at(key.value)
  return char === undefined ? undefined : make.text(char)
}

const defined = ({ run }: Host, owner: Value, key: Value) =>
  owner.type === "UndefinedValue" ? run.fail(`what is asked for '${String(key.value)}' is undefined`) : owner

/** `value.name`: a method first, else the item of that name. */
export const getAttribute = (host: Host, value: Value, key: Value): Value =>
  (isText(key) ? attributeOf(host, defined(host, value, key), key.value) : undefined) ??
  itemOf(host, defined(host, value, key), key) ??
  host.make.missing()

/** `value[key]`: the item first, else the method of that name. */
export const getItem = (host: Host, value: Value, key: Value): Value =>
  itemOf(host, defined(host, value, key), key) ??
  (isText(key) ? attributeOf(host, value, key.value) : undefined) ??
  host.make.missing()

/** Reads `a.b.0` off an item; without an attribute the item itself. */
export const attributeGetter = (
  host: Host,
  attribute: Value | undefined,
  otherwise?: Value
): ((item: Value) => Value) => {
  if (attribute === undefined || attribute.type === "NullValue") return (item) => item
  const keys = isText(attribute)
    ? attribute.value
        .split(".")
        .map((part) => (/^\d+$/.test(part) ? host.make.int(Number(part)) : host.make.text(part)))
    : [attribute]
  return (item) => {
    host.run.spend(keys.length)
    const value = keys.reduce((owner, key) => getItem(host, owner, key), item)
    return value.type === "UndefinedValue" ? (otherwise ?? value) : value
  }
}
