import * as Layer from "effect/Layer"
import { makeBlockPool } from "../domain/kv/makeBlockPool.ts"
import { BlockAllocator } from "../services/BlockAllocator.ts"

/** Paged blocks with prefix caching. Constant: it holds a maker, and engines share no state through it. */
export const layer: Layer.Layer<BlockAllocator> = Layer.succeed(BlockAllocator, { make: makeBlockPool })
