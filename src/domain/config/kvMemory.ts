import * as Either from "effect/Either"
import { InvalidOptions, OutOfMemory } from "../errors.ts"
import type { ResolveInput } from "./resolveInput.ts"

/** The KV pool: its usable blocks, and the bytes that they and the null block take. */
export interface KvMemory {
  readonly blocks: number
  readonly kvCacheBytes: number
}

interface Extents {
  readonly maxNumSeqs: number
  readonly maxNumBatchedTokens: number
  readonly blockSize: number
}

/** A cache by default takes no more than this, nor more than its share of what is left: the machine has other tenants. */
const mostDefaultBytes = 4 * 2 ** 30
/** The interpreter serves small models, a few requests at a time, and holds twice these bytes of a 16-bit cache. */
const mostReferenceBytes = 128 * 2 ** 20
const mostDefaultShare = 0.4

/** How many blocks the memory that is left gives; an error when one sequence of maxModelLen would not fit. */
export const kvBlocks = (
  input: ResolveInput,
  extents: Extents
): Either.Either<KvMemory, InvalidOptions | OutOfMemory> => {
  const { options, facts, device, weightBytes } = input
  const { blockSize } = extents
  const usable = Math.floor(device.memory * (options.gpuMemoryUtilization ?? 0.9))
  const other = weightBytes + input.arenaBytesPerToken * extents.maxNumBatchedTokens
  if (other >= usable) return Either.left(weightsTooLarge(other, usable))
  const left = usable - other
  // A plan without a cache still gets bookkeeping blocks, at no cost in bytes; where no sequence takes any, one will do.
  const blockBytes = input.kvBlockBytes(blockSize)
  const perSequence = Math.ceil(facts.maxModelLen / blockSize)
  const least = (perSequence + 1) * blockBytes
  const given = options.kvCacheMemoryBytes
  if (given !== undefined && given < least)
    return Either.left(poolTooSmall(given, least, facts.maxModelLen, blockBytes))
  if ((given ?? least) > left)
    return Either.left(noRoom(given ?? least, left, facts.maxModelLen, blockBytes, blockSize))
  const wanted = (extents.maxNumSeqs * perSequence + 1) * blockBytes
  const most = device.name === "reference" ? mostReferenceBytes : mostDefaultBytes
  const bounded = Math.min(wanted, left, Math.max(least, Math.min(most, mostDefaultShare * left)))
  const bytes = given ?? bounded
  const uncached = facts.pooler?.bidirectional === true ? 1 : extents.maxNumSeqs * perSequence
  const blocks = blockBytes === 0 ? uncached : Math.floor(bytes / blockBytes) - 1
  return Either.right({ blocks, kvCacheBytes: (blocks + 1) * blockBytes })
}

const weightsTooLarge = (needed: number, available: number) =>
  new OutOfMemory({
    what: "The model's weights, with the buffers of a step,",
    neededBytes: needed,
    availableBytes: available,
    mend: "Choose a smaller model or dtype, lower maxNumBatchedTokens, or raise gpuMemoryUtilization."
  })

const poolTooSmall = (given: number, least: number, maxModelLen: number, blockBytes: number) =>
  new InvalidOptions({
    field: "kvCacheMemoryBytes",
    given: String(given),
    expected: `at least ${least}, which hold one sequence of ${maxModelLen} tokens in blocks of ${blockBytes} bytes`,
    mend: "Raise it, or lower maxModelLen."
  })

const noRoom = (needed: number, left: number, maxModelLen: number, blockBytes: number, blockSize: number) => {
  const fits = Math.max(0, Math.floor(left / blockBytes) - 1) * blockSize
  return new OutOfMemory({
    what: `The KV cache, with room for at least one sequence of maxModelLen ${maxModelLen},`,
    neededBytes: needed,
    availableBytes: left,
    mend: `Set maxModelLen to ${fits} or less, give less kvCacheMemoryBytes, or raise gpuMemoryUtilization.`
  })
}
