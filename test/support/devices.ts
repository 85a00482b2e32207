import * as Effect from "effect/Effect"
import { loadAddon } from "../../src/layers/backend/addon.ts"

const families = ["amx", "avx512bf16", "avx512", "avx2", "portable"]

/** Instruction families that this machine runs, best first. */
export const instructionPaths = async (): Promise<ReadonlyArray<string>> => {
  const addon = await Effect.runPromise(loadAddon)
  return families.filter((family) => {
    try {
      return addon.info(family).isa === family
    } catch {
      return false
    }
  })
}
