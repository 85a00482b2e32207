import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { InvalidOptions, type OutOfMemory } from "../errors.ts"
import type { SchedulerConfig } from "../schedule/scheduler.ts"
import { kvBlocks } from "./kvMemory.ts"
import type { ResolveInput } from "./resolveInput.ts"

/** Every number that an engine runs by: nothing is left to be filled in later. */
export interface ResolvedOptions {
  readonly scheduler: SchedulerConfig
  /** Usable KV blocks. */
  readonly blocks: number
  readonly kvCacheBytes: number
  readonly prefixCaching: boolean
  /** Whether step n + 1 is scheduled while step n runs. */
  readonly overlap: boolean
  readonly streamBuffer: number
  readonly streamInterval: number
  readonly maxParkedMillis: number
  /** Infinity: unbounded. */
  readonly maxQueuedRequests: number
  readonly seed: number
  readonly maxLogprobs: number
}

/** Steps on the CPU should last this long: longer ones stall every stream, shorter ones waste the weights' journey. */
const targetSeconds = 0.15
/** One slow core without vector units to speak of does better: what is fast enough here is fast enough anywhere. */
const leastFlops = 20e9
const leastCpuBudget = 64
const mostCpuBudget = 256

const cpuBudget = (parameters: number, flops: number): number => {
  const tokens = (targetSeconds * flops) / (2 * Math.max(1, parameters))
  return Math.max(leastCpuBudget, Math.min(mostCpuBudget, Math.floor(tokens / 16) * 16))
}

/** Whether the token budget depends on how fast the device is: not when it is given, nor for a small model. */
export const needsFlops = ({ options, facts, device }: Pick<ResolveInput, "options" | "facts" | "device">): boolean =>
  device.name === "cpu" &&
  options.maxNumBatchedTokens === undefined &&
  cpuBudget(facts.parameters, leastFlops) < mostCpuBudget

const defaultBudget = ({ facts, device, flops }: ResolveInput): number =>
  device.name === "cuda" ? 8192 : device.name === "cpu" ? cpuBudget(facts.parameters, flops ?? leastFlops) : 2048

const tokenBudget = (input: ResolveInput, maxNumSeqs: number): Either.Either<number, InvalidOptions> => {
  const { options, facts } = input
  const encoder = facts.pooler?.bidirectional === true
  const whole = encoder || options.enableChunkedPrefill === false ? facts.maxModelLen : 0
  const given = options.maxNumBatchedTokens
  if (given === undefined) return Either.right(Math.max(defaultBudget(input), maxNumSeqs, whole))
  const least = Math.max(maxNumSeqs, whole)
  if (given >= least) return Either.right(given)
  const because = encoder ? "since this model's tokens see each other" : "since enableChunkedPrefill is false"
  const reason = least === maxNumSeqs ? "maxNumSeqs" : `maxModelLen, ${because}`
  return Either.left(
    new InvalidOptions({
      field: "maxNumBatchedTokens",
      given: String(given),
      expected: `at least ${least} (${reason})`,
      mend: `Raise it, or lower ${reason.split(",")[0]}.`
    })
  )
}

/** Sequences that are computed once and end are cheap to have many of. */
const sequences = ({ options, facts, device }: ResolveInput): number =>
  options.maxNumSeqs ??
  Math.min(device.name === "cpu" && facts.pooler === undefined ? 64 : 256, options.maxNumBatchedTokens ?? 256)

/** Fills in all that was not given, from the model and the device; refuses what cannot be run. */
export const resolve = (input: ResolveInput): Either.Either<ResolvedOptions, InvalidOptions | OutOfMemory> =>
  Either.gen(function* () {
    const { options, facts } = input
    const maxNumSeqs = sequences(input)
    const maxNumBatchedTokens = yield* tokenBudget(input, maxNumSeqs)
    const blockSize = options.blockSize ?? 16
    const pool = yield* kvBlocks(input, { maxNumSeqs, maxNumBatchedTokens, blockSize })
    return {
      scheduler: {
        maxNumBatchedTokens,
        maxNumSeqs,
        maxModelLen: facts.maxModelLen,
        blockSize,
        longPrefillTokenThreshold: options.longPrefillTokenThreshold ?? 0,
        enableChunkedPrefill: options.enableChunkedPrefill ?? true,
        policy: options.schedulingPolicy ?? "fcfs",
        ...(facts.pooler === undefined ? {} : { pooler: facts.pooler })
      },
      ...pool,
      prefixCaching: options.enablePrefixCaching ?? true,
      overlap: !(options.disableAsyncOutputProc ?? false),
      streamBuffer: options.streamBuffer ?? 64,
      streamInterval: options.streamInterval ?? 1,
      maxParkedMillis: Duration.toMillis(Duration.decode(options.maxParkedTime ?? "10 minutes")),
      maxQueuedRequests: options.maxQueuedRequests ?? Number.POSITIVE_INFINITY,
      seed: options.seed ?? 0,
      maxLogprobs: options.maxLogprobs ?? 20
    }
  })
