import type { ModelFacts } from "../model/load.ts"
import type { EngineOptions } from "./engineOptions.ts"

/** What resolving asks of a device. */
export interface DeviceLimits {
  readonly name: "null" | "reference" | "cpu" | "cuda"
  /** Bytes that weights, cache and arena may take together. */
  readonly memory: number
}

/** What the numbers of an engine are found from. */
export interface ResolveInput {
  readonly options: EngineOptions
  readonly facts: Pick<ModelFacts, "parameters" | "maxModelLen" | "pooler">
  readonly device: DeviceLimits
  /** Bytes of the weights as the device stores them. */
  readonly weightBytes: number
  /** Bytes that one KV block of so many tokens takes in all layers, as the device stores it. */
  readonly kvBlockBytes: (blockSize: number) => number
  /** Measured floating-point operations a second of a linear op; absent where `needsFlops` says no. */
  readonly flops?: number
  /** Bytes of step buffers for one token of the budget. */
  readonly arenaBytesPerToken: number
}
