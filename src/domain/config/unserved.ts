import type { EngineOptions } from "./engineOptions.ts"
import { show } from "./show.ts"
import type { Problem } from "./strict.ts"

type Values = { readonly [Name in keyof EngineOptions]?: ReadonlyArray<EngineOptions[Name]> }

/** Options that are known and that no part of this build acts on yet, with the values that ask for nothing. */
const harmless: Values = {
  quantization: [],
  swapSpace: [4],
  cpuOffloadGb: [0],
  enforceEager: [false],
  maxSeqLenToCapture: [8192],
  disableCustomAllReduce: [false],
  tensorParallelSize: [1]
}

/** The first option that asks for something which this build would silently not do. */
export const unserved = (options: EngineOptions): Problem | undefined => {
  for (const [name, allowed] of Object.entries(harmless)) {
    const value = options[name as keyof EngineOptions]
    if (value === undefined || (allowed as ReadonlyArray<unknown>).includes(value)) continue
    return {
      field: name,
      given: show(value),
      expected: allowed.length === 0 ? "nothing" : allowed.map(show).join(" or "),
      mend: "This build does not serve it yet: leave it out."
    }
  }
  return undefined
}
