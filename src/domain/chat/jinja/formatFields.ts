import type { Given } from "./arguments.ts"
import { formatValue, parseSpec } from "./format.ts"
import type { Run } from "./run.ts"
import { repr, show } from "./show.ts"
import type { Value } from "./value.ts"

const field = /\{\{|\}\}|\{([^{}!:]*)(?:!([rs]))?(?::([^{}]*))?\}/g

/** Python's `"{} {name:>5}".format(…)`. Fields name an argument; they do not reach into it. */
export const formatFields = (run: Run, template: string, { positional, named }: Given): string => {
  let next = 0
  const valueOf = (name: string): Value => {
    const value = name === "" ? positional[next++] : /^\d+$/.test(name) ? positional[Number(name)] : named.get(name)
    return value === undefined ? run.fail(`format has no argument for the field '${name}'`) : value
  }
  run.spendOn(template.length)
  return run.text(
    template.replace(field, (whole, name: string | undefined, conversion: string | undefined, given = "") => {
      if (name === undefined) return whole[0]!
      const value = valueOf(name)
      const shown: Value = conversion === "r" ? repr(run, value) : conversion === "s" ? show(run, value) : value
      const spec = given === "" ? undefined : (parseSpec(given, shown) ?? run.fail(`unknown format '${given}'`))
      return run.text(spec === undefined ? show(run, shown) : formatValue(run, shown, spec))
    })
  )
}
