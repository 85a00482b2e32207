import type { Given, Native } from "../arguments.ts"
import type { Run } from "../run.ts"
import type { Value } from "../value.ts"
import { numberFilters } from "./number.ts"
import { selectFilters } from "./select.ts"
import { sequenceFilters } from "./sequence.ts"
import { textFilters } from "./text.ts"

/** Asked one by one: these modules know each other, and any of them may be the first to load. */
const find = (name: string): Native | undefined =>
  textFilters.get(name) ?? sequenceFilters.get(name) ?? numberFilters.get(name) ?? selectFilters.get(name)

export const applyFilter = (run: Run, name: string, value: Value, given: Given): Value => {
  const filter = find(name) ?? run.fail(`there is no filter named '${name}'`)
  run.spend(1)
  return filter(run, value, given)
}
