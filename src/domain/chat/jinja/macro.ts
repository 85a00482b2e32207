import type { Given } from "./arguments.ts"
import type { Macro, Parameter } from "./ast.ts"
import { evaluate } from "./evaluate.ts"
import { executeBlock } from "./execute.ts"
import type { Run } from "./run.ts"
import { Scope } from "./scope.ts"
import { Callable, present, Tuple, Undefined, type Value } from "./value.ts"

/** A macro sees the names around its definition, as they stand when it is called. */
export const makeMacro = (node: Macro, outer: Scope): Callable =>
  new Callable(node.name, (run, given) =>
    run.nested(() => {
      const { line } = run
      const scope = new Scope(outer)
      bindParameters(node, run, given, scope)
      const text = run.capture(() => void executeBlock(node.body, run, scope))
      run.line = line
      return text
    })
  )

const bindParameters = (node: Macro, run: Run, { positional, named }: Given, scope: Scope): void => {
  const { parameters, name, uses } = node
  const rest = new Map(named)
  parameters.forEach((parameter, at) => {
    const value = present(positional[at], rest.get(parameter.name))
    rest.delete(parameter.name)
    scope.set(parameter.name, value === undefined ? fallbackOf(parameter, run, scope) : value)
  })
  if (uses.has("caller") && !parameters.some((parameter) => parameter.name === "caller")) {
    scope.set("caller", present(rest.get("caller"), new Undefined("No caller defined"))!)
    rest.delete("caller")
  }
  const extra = positional.slice(parameters.length)
  if (uses.has("varargs")) scope.set("varargs", Tuple.from(extra) as Tuple)
  else if (extra.length > 0) run.fail(`macro '${name}' takes not more than ${parameters.length} argument(s)`)
  if (uses.has("kwargs")) scope.set("kwargs", rest)
  else if (rest.size > 0) run.fail(`macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`)
}

const fallbackOf = ({ name, fallback }: Parameter, run: Run, scope: Scope): Value =>
  fallback === undefined ? new Undefined(`parameter '${name}' was not provided`) : evaluate(fallback, run, scope)
