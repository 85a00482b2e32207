import { describe } from "@effect/vitest"
import { layer } from "../../src/layers/backend/Cpu.ts"
import { goldenNames } from "../support/golden.ts"
import { goldenSuite } from "../support/goldenSuite.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

describe.skipIf(!nativeBuilt())("golden, Cpu", () => {
  for (const name of goldenNames) {
    goldenSuite(name, "float32", layer())
    goldenSuite(name, "bfloat16", layer())
  }
})
