import { describe } from "vitest"
import { layer } from "../../src/layers/compose/engine.ts"
import { engineContract } from "../../src/testing/engineContract.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

const brook = { model: "models/brook", maxModelLen: 256, maxNumSeqs: 16 }

engineContract("The engine on the reference backend", layer({ ...brook, device: "reference" }))
describe.skipIf(!nativeBuilt())("natively", () =>
  engineContract("The engine on the CPU backend", layer({ ...brook, device: "cpu", numThreads: 1 }))
)
