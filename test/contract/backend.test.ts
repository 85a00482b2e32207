import { describe } from "vitest"
import { layer as cpu } from "../../src/layers/backend/Cpu.ts"
import { layer as reference } from "../../src/layers/backend/Reference.ts"
import { backendContract } from "../support/backendContract.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

backendContract("Reference", reference)
describe.skipIf(!nativeBuilt())("native", () => backendContract("Cpu", cpu()))
