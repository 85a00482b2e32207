import { type Host, isDict, isList, isMissing, isText, numberOf, typeName, type Value } from "./value.ts"

/** Python's `==`: numbers by value, lists and dicts by content. */
export const equal = (host: Host, a: Value, b: Value): boolean => {
  const { run } = host
  run.spend(1)
  const number = numberOf(a)
  if (number !== undefined) return number === numberOf(b)
  if (a === b) return true
  if (a.type !== b.type) return false
  if (isList(a) && isList(b)) {
    const { value: others } = b
    return (
      a.value.length === others.length && run.nested(() => a.value.every((item, at) => equal(host, item, others[at]!)))
    )
  }
  if (!isDict(a) || !isDict(b)) return a.value === b.value
  const { value: others } = b
  const same = ([key, item]: readonly [string, Value]) => others.has(key) && equal(host, item, others.get(key)!)
  return a.value.size === others.size && run.nested(() => [...a.value].every(same))
}

/** Negative when `a` comes first. Fails on types that Python does not order. */
export const order = (host: Host, a: Value, b: Value): number => {
  host.run.spend(1)
  const [left, right] = [numberOf(a), numberOf(b)]
  if (left !== undefined && right !== undefined) return left - right
  if (isText(a) && isText(b)) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
  if (!isList(a) || !isList(b))
    return host.run.fail(`'<' is not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
  const at = a.value.findIndex((item, place) => place >= b.value.length || !equal(host, item, b.value[place]!))
  if (at < 0) return a.value.length - b.value.length
  return at >= b.value.length ? 1 : host.run.nested(() => order(host, a.value[at]!, b.value[at]!))
}

/** Python's `item in container`. */
export const contains = (host: Host, container: Value, item: Value): boolean => {
  const { run } = host
  if (isMissing(container)) return false
  if (isList(container)) return container.value.some((other) => equal(host, other, item))
  if (isDict(container)) return isText(item) && container.value.has(item.value)
  if (!isText(container)) return run.fail(`argument of type '${typeName(container)}' is not iterable`)
  run.spendOn(container.value.length)
  return isText(item)
    ? container.value.includes(item.value)
    : run.fail(`'in <string>' requires string as left operand, not ${typeName(item)}`)
}
