import * as Context from "effect/Context"
import type { BlockPool, BlockPoolConfig } from "../domain/kv/blockPool.ts"

/** Makes block pools. The tag holds no state: every engine makes and owns its own pool. */
export class BlockAllocator extends Context.Tag("millrace/BlockAllocator")<
  BlockAllocator,
  { readonly make: (config: BlockPoolConfig) => BlockPool }
>() {}
