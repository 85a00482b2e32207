import type { Given } from "./arguments.ts"
import { type Host, isDict, isList, isText, numberOf, type Value } from "./value.ts"

/** Characters of a value as JSON, at least; fails where that goes too deep. */
const weigh = (host: Host, value: Value, indent: number, level = 1): number => {
  const { run } = host
  run.spend(1)
  if (isText(value)) return run.text(value.value).length
  const items = isList(value) ? value.value : isDict(value) ? [...value.value.values()] : []
  const inner = () => items.reduce((sum, item) => sum + indent * level + weigh(host, item, indent, level + 1), 0)
  return 1 + run.nested(inner)
}

/** Before the library writes JSON, which it does without counting: what it will make has to be allowed. */
export const weighJson = (host: Host, value: Value, { named }: Given): void => {
  const indent = numberOf(named.get("indent")) ?? 0
  host.run.spendOn(indent)
  host.run.spendOn(weigh(host, value, indent))
}
