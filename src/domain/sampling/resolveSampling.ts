import * as Either from "effect/Either"
import type { InvalidRequest } from "../errors.ts"
import type { StructuredOutputs } from "../grammar/source.ts"
import type { DrawParams, TokenLimits } from "../request/sequence.ts"
import type { GenerationDefaults } from "./generationConfig.ts"
import { resolveEdits } from "./logitEdits.ts"
import { logprobCount, refusal, stopNeedsText } from "./refusals.ts"
import type { SamplingFacts } from "./samplingFacts.ts"
import { decodeSampling, type SamplingInput } from "./samplingParams.ts"

/** A request's parameters with nothing left open. */
export interface ResolvedSampling {
  readonly draw: DrawParams
  readonly limits: TokenLimits
  /** Neither stop texts nor ids that end the reply count before this many tokens. */
  readonly minTokens: number
  readonly stop: ReadonlyArray<string>
  readonly includeStopStrInOutput: boolean
  readonly detokenize: boolean
  readonly skipSpecialTokens: boolean
  readonly spacesBetweenSpecialTokens: boolean
  readonly outputKind: "cumulative" | "delta" | "final"
  /** Replies that are returned. */
  readonly n: number
  /** Replies that are drawn; of more than `n`, those with the best cumulative logprob are returned. */
  readonly candidates: number
  /** Tokens to keep of the prompt, its last; -1: as many as the model holds; undefined: all. */
  readonly truncatePromptTokens: number | undefined
  /** What the reply must conform to: still as it was asked for. */
  readonly structuredOutputs: StructuredOutputs | undefined
}

/** Temperatures in (0, 0.01) are raised to this: their logits would overflow. Only 0 is greedy. */
const leastTemperature = 0.01

/**
 * Fills in what the request left out: from the engine's defaults, then as vLLM does. `arrival` counts the engine's
 * requests; with the engine's seed it makes the seed of a request that has none.
 */
export const resolveSampling = (
  given: unknown,
  defaults: GenerationDefaults,
  facts: SamplingFacts,
  arrival: number
): Either.Either<ResolvedSampling, InvalidRequest> =>
  Either.gen(function* () {
    const asked = yield* decodeSampling(given ?? {})
    const params = merge(defaults.params, asked)
    const refused = refusal(params, facts)
    if (refused !== undefined) return yield* Either.left(refused)
    const stop = typeof params.stop === "string" ? [params.stop] : (params.stop ?? [])
    const detokenize = (params.detokenize ?? true) && facts.tokenizer !== undefined
    if (stop.length > 0 && !detokenize) return yield* Either.left(stopNeedsText(stop, facts))
    const limits = {
      maxTokens: params.maxTokens ?? 16,
      eosTokenIds: new Set([...facts.eosTokenIds, ...defaults.eosTokenIds]),
      stopTokenIds: new Set(params.stopTokenIds),
      ignoreEos: params.ignoreEos ?? false
    }
    const edits = yield* resolveEdits(params, limits, facts)
    const draw = drawParams(params, facts, arrival)
    return {
      draw: edits === undefined ? draw : { ...draw, edits },
      limits,
      minTokens: params.minTokens ?? 0,
      stop,
      includeStopStrInOutput: params.includeStopStrInOutput ?? false,
      detokenize,
      skipSpecialTokens: params.skipSpecialTokens ?? true,
      spacesBetweenSpecialTokens: params.spacesBetweenSpecialTokens ?? true,
      outputKind: params.outputKind ?? "delta",
      n: params.n ?? 1,
      candidates: params.bestOf ?? params.n ?? 1,
      truncatePromptTokens: params.truncatePromptTokens,
      structuredOutputs: params.structuredOutputs as StructuredOutputs | undefined
    }
  })

/** A field given as undefined was not given. */
const merge = (defaults: SamplingInput, given: SamplingInput): SamplingInput => {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(stated) }
}

const drawParams = (params: SamplingInput, facts: SamplingFacts, arrival: number): DrawParams => {
  const temperature = params.temperature ?? 1
  const greedy = temperature === 0
  const topK = params.topK ?? 0
  return {
    temperature: greedy ? 0 : Math.max(leastTemperature, temperature),
    topK: greedy || topK <= 0 || topK >= facts.vocabSize ? 0 : topK,
    topP: greedy ? 1 : (params.topP ?? 1),
    minP: greedy ? 0 : (params.minP ?? 0),
    // As in vLLM, -1 asks for no seed of its own.
    seed:
      params.seed === undefined || params.seed === -1
        ? seedOf(facts.seed, arrival)
        : BigInt.asUintN(64, BigInt(params.seed)),
    logprobs: logprobCount(params.logprobs, facts) ?? -1,
    promptLogprobs: logprobCount(params.promptLogprobs, facts) ?? -1
  }
}

/** SplitMix64's finaliser (Steele, Lea & Flood 2014) over engine seed and arrival: neighbours get unlike seeds. */
export const seedOf = (seed: number, arrival: number): bigint => {
  const mask = (value: bigint) => BigInt.asUintN(64, value)
  let mixed = mask(BigInt(seed) * 0x9e3779b97f4a7c15n + BigInt(arrival + 1) * 0xd1b54a32d192ed03n)
  mixed = mask((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n)
  mixed = mask((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn)
  return mixed ^ (mixed >> 31n)
}
