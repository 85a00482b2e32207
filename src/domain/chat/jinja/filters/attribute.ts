import { getItem } from "../access.ts"
import type { Run } from "../run.ts"
import { Undefined, type Value } from "../value.ts"

/** Reads several attributes, named between commas, as a list to sort by. */
export const attributesGetter = (run: Run, attributes: Value | undefined): ((item: Value) => Value) => {
  if (typeof attributes !== "string" || !attributes.includes(",")) return attributeGetter(run, attributes)
  const getters = attributes.split(",").map((attribute) => attributeGetter(run, attribute.trim()))
  return (item) => getters.map((get) => get(item))
}

/** Reads `a.b.0` off an item; without an attribute the item itself. */
export const attributeGetter = (
  run: Run,
  attribute: Value | undefined,
  otherwise?: Value
): ((item: Value) => Value) => {
  if (attribute === undefined || attribute === null) return (item) => item
  const keys: ReadonlyArray<Value> =
    typeof attribute === "string"
      ? attribute.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      : [attribute]
  return (item) => {
    run.spend(keys.length)
    let value = item
    for (const key of keys) {
      value = getItem(run, value, key)
      if (value instanceof Undefined && otherwise !== undefined) value = otherwise
    }
    return value
  }
}
