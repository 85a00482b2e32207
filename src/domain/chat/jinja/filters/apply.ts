import type { Given, Native } from "../arguments.ts"
import { weighJson } from "../json.ts"
import type { Call, Identifier, Node } from "../library.ts"
import { show } from "../show.ts"
import { applyTest } from "../tests.ts"
import { type Host, spendOnValue, type Value } from "../value.ts"
import { numberFilters } from "./number.ts"
import { map, selectFilters } from "./select.ts"
import { sequenceFilters } from "./sequence.ts"
import { textFilters } from "./text.ts"

/** The filters that the library lacks, or has otherwise than Python. */
const natives: ReadonlyMap<string, Native> = new Map([
  ...textFilters,
  ...numberFilters,
  ...sequenceFilters,
  ...selectFilters
])

/** Filters of the library that do as Python's; these want a text. */
const textual: ReadonlySet<string> = new Set(["upper", "lower", "title"])
const asInPython: ReadonlySet<string> = new Set([...textual, "safe", "dictsort", "abs", "tojson"])

/** A value where the library wants a node. */
export interface Held extends Node {
  readonly type: "Held"
  readonly held: Value
}
const hold = (held: Value): Held => ({ type: "Held", held })

/** A filter and its arguments as the library's parser writes them. */
const nodeOf = (name: string, { positional, named }: Given): Node => {
  const callee: Identifier = { type: "Identifier", value: name }
  if (positional.length + named.size === 0) return callee
  const keywords = Array.from(named, ([key, item]) => ({
    type: "KeywordArgumentExpression",
    key: { type: "Identifier", value: key },
    value: hold(item)
  }))
  const call: Call = { type: "CallExpression", callee, args: [...positional.map(hold), ...keywords] }
  return call
}

/** The library's own application of a filter. */
export type Theirs = (value: Value, filter: Node) => Value

export const applyByName = (host: Host, name: string, value: Value, given: Given, theirs: Theirs): Value => {
  const { run, make } = host
  const test = /^is (not )?(.*)$/.exec(name)
  if (test !== null) return make.bool(applyTest(host, test[2]!, value, given.positional[0]) === (test[1] === undefined))
  if (name === "map")
    return map((inner, item, rest) => applyByName(host, inner, item, rest, theirs))(host, value, given)
  const native = natives.get(name)
  if (native !== undefined) return native(host, value, given)
  if (!asInPython.has(name)) return run.fail(`there is no filter named '${name}'`)
  if (name === "tojson") weighJson(host, value, given)
  spendOnValue(host, value)
  return theirs(textual.has(name) ? make.text(run.text(show(host, value))) : value, nodeOf(name, given))
}
