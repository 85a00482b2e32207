import { show } from "../config/show.ts"
import { InvalidRequest } from "../errors.ts"
import type { SamplingInput } from "./samplingParams.ts"

type Harmless = { readonly [Name in keyof SamplingInput]?: (value: NonNullable<SamplingInput[Name]>) => boolean }

/** Parameters that are known and that no part of this build acts on yet, with the values that ask for nothing. */
const harmless: Harmless = {
  structuredOutputs: () => false
}

/** The first parameter that asks for something which this build would silently not do. */
export const unservedParam = (given: SamplingInput): InvalidRequest | undefined => {
  for (const [name, asksNothing] of Object.entries(harmless)) {
    const value = given[name as keyof SamplingInput]
    if (value === undefined || (asksNothing as (value: unknown) => boolean)(value)) continue
    return new InvalidRequest({
      field: name,
      given: show(value),
      expected: "its default",
      mend: "This build does not serve it yet: leave it out."
    })
  }
  return undefined
}
