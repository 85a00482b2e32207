import type { Host, Value } from "./value.ts"

/** The arguments of one call. */
export interface Given {
  readonly positional: ReadonlyArray<Value>
  readonly named: ReadonlyMap<string, Value>
}

/** A filter, or a method: what it makes of `self`. */
export type Native<Self extends Value = Value> = (host: Host, self: Self, given: Given) => Value

/** The library hands named arguments over as the last of all. */
export const givenBy = (args: ReadonlyArray<Value>): Given => {
  const last = args.at(-1)
  return last?.type === "KeywordArgumentsValue"
    ? { positional: args.slice(0, -1), named: last.value }
    : { positional: args, named: new Map() }
}

type Args = ReadonlyArray<Value | undefined>

/** A native whose arguments may be given by place or by name. */
export const takes =
  <Self extends Value>(
    names: ReadonlyArray<string>,
    body: (host: Host, self: Self, args: Args) => Value
  ): Native<Self> =>
  (host, self, { positional, named }) => {
    if (positional.length > names.length)
      host.run.fail(`at most ${names.length} arguments are taken, ${positional.length} were given`)
    const values: Array<Value | undefined> = names.map((name, at) => positional[at] ?? named.get(name))
    for (const name of named.keys()) if (!names.includes(name)) host.run.fail(`there is no argument named '${name}'`)
    return body(host, self, values)
  }
