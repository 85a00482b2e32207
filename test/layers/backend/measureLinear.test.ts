import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { dtypes } from "../../../src/domain/tensor/dtype.ts"
import * as Cpu from "../../../src/layers/backend/Cpu.ts"
import { Backend } from "../../../src/services/Backend.ts"
import { nativeBuilt } from "../../support/nativeBuilt.ts"

describe.skipIf(!nativeBuilt())("measureFlops", () => {
  it.live.each(dtypes)("measures the Cpu backend in %s", (dtype) =>
    Effect.gen(function* () {
      const { measureFlops } = yield* Backend
      const flops = yield* measureFlops!(dtype)
      // Between a slow core that shares its time with others and the fastest machine there is: a unit gone wrong is outside.
      expect(flops).toBeGreaterThan(1e7)
      expect(flops).toBeLessThan(1e15)
    }).pipe(Effect.provide(Cpu.layer()))
  )
})
