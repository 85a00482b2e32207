import type { Run } from "./run.ts"
import type { Value } from "./value.ts"

/** The arguments of one call. */
export interface Given {
  readonly positional: ReadonlyArray<Value>
  readonly named: ReadonlyMap<string, Value>
}

/** A filter, or a method: what it makes of `self`. */
export type Native<Self extends Value = Value> = (run: Run, self: Self, given: Given) => Value

/** The arguments in the order of `names`; undefined where not given. */
export const bind = (
  run: Run,
  callee: string,
  names: ReadonlyArray<string>,
  { positional, named }: Given
): Array<Value | undefined> => {
  if (positional.length > names.length)
    run.fail(`${callee} takes at most ${names.length} arguments, ${positional.length} were given`)
  const values: Array<Value | undefined> = names.map((_, at) => positional[at])
  for (const [name, value] of named) {
    const at = names.indexOf(name)
    if (at < 0) run.fail(`${callee} got an unexpected keyword argument '${name}'`)
    if (values[at] !== undefined) run.fail(`${callee} got multiple values for argument '${name}'`)
    values[at] = value
  }
  return values
}

/** A native whose arguments may be given by place or by name. */
export const takes =
  <Self extends Value>(
    callee: string,
    names: ReadonlyArray<string>,
    body: (run: Run, self: Self, args: ReadonlyArray<Value | undefined>) => Value
  ): Native<Self> =>
  (run, self, given) =>
    body(run, self, bind(run, callee, names, given))
