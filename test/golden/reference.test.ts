import { describe } from "@effect/vitest"
import { layer } from "../../src/layers/backend/Reference.ts"
import { goldenNames } from "../support/golden.ts"
import { goldenSuite } from "../support/goldenSuite.ts"

describe("golden, Reference", () => {
  for (const name of goldenNames) {
    goldenSuite(name, "float32", layer)
    goldenSuite(name, "bfloat16", layer)
  }
})
