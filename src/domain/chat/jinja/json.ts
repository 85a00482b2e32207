import type { Given } from "./arguments.ts"
import { type Host, isDict, isList, isText, numberOf, type Value } from "./value.ts"

/** What the library writes around the items of a list or dict. */
interface Spacing {
  /** Characters of one level. */
  readonly indent: number
  /** Characters between items, and between a key and its value. */
  readonly separators: number
}

/** Characters of a value as JSON, or more; fails where that goes too deep. */
const weigh = (host: Host, value: Value, spacing: Spacing, level = 1): number => {
  const { run } = host
  run.spend(1)
  if (isText(value)) return run.text(value.value).length
  const items = isList(value) ? value.value : isDict(value) ? [...value.value.values()] : []
  const keys = isDict(value) ? [...value.value.keys()].reduce((sum, key) => sum + key.length, 0) : 0
  const around = spacing.indent * level + spacing.separators
  const inner = () => items.reduce((sum, item) => sum + around + weigh(host, item, spacing, level + 1), 0)
  return 1 + keys + run.nested(inner)
}

/** Before the library writes JSON, which it does without counting: what it will make has to be allowed. */
export const weighJson = (host: Host, value: Value, { named }: Given): void => {
  const indent = numberOf(named.get("indent")) ?? 0
  const given = named.get("separators")
  const texts = given !== undefined && isList(given) ? given.value.filter(isText) : []
  host.run.spendOn(indent)
  host.run.spendOn(weigh(host, value, { indent, separators: texts.reduce((sum, text) => sum + text.value.length, 0) }))
}
