import * as Either from "effect/Either"
import { show } from "../config/show.ts"
import { InvalidRequest } from "../errors.ts"
import type { StructuredOutputs } from "../grammar/source.ts"
import type { DrawParams, TokenLimits } from "../request/sequence.ts"
import type { GenerationDefaults } from "./generationConfig.ts"
import { resolveEdits } from "./logitEdits.ts"
import { decodeSampling, type SamplingInput } from "./samplingParams.ts"

/** What resolving a request asks of its engine; made once. */
export interface SamplingFacts {
  /** Ids run below this: the larger of the model's and the tokenizer's vocabulary. */
  readonly vocabSize: number
  /** Logits of a row: ids that the model can write run below this. */
  readonly modelVocabSize: number
  /** -1: no bound. */
  readonly maxLogprobs: number
  /** From config.json; those of generation_config.json join them. */
  readonly eosTokenIds: ReadonlyArray<number>
  /** Undefined in an engine that knows token ids alone. */
  readonly tokenizer:
    | { encode(text: string, options: { readonly addSpecialTokens: boolean }): ReadonlyArray<number> }
    | undefined
  /** The engine's own seed. */
  readonly seed: number
}

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
    const refused = outOfRange(params, facts) ?? unreturnable(params) ?? unstructured(params, facts)
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

/** -1 asks for the whole vocabulary's. */
const logprobCount = (asked: number | undefined, { modelVocabSize }: SamplingFacts) =>
  asked === -1 ? modelVocabSize : asked

/** SplitMix64's finaliser (Steele, Lea & Flood 2014) over engine seed and arrival: neighbours get unlike seeds. */
export const seedOf = (seed: number, arrival: number): bigint => {
  const mask = (value: bigint) => BigInt.asUintN(64, value)
  let mixed = mask(BigInt(seed) * 0x9e3779b97f4a7c15n + BigInt(arrival + 1) * 0xd1b54a32d192ed03n)
  mixed = mask((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n)
  mixed = mask((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn)
  return mixed ^ (mixed >> 31n)
}

const outOfRange = (params: SamplingInput, facts: SamplingFacts): InvalidRequest | undefined => {
  const strange = params.stopTokenIds?.findIndex((id) => id >= facts.vocabSize) ?? -1
  if (strange >= 0)
    return new InvalidRequest({
      field: `stopTokenIds[${strange}]`,
      given: show(params.stopTokenIds?.[strange]),
      expected: `an id below ${facts.vocabSize}, the size of the vocabulary`,
      mend: "Leave it out: the model cannot write it."
    })
  for (const field of ["logprobs", "promptLogprobs"] as const) {
    const count = logprobCount(params[field], facts)
    if (count === undefined || facts.maxLogprobs === -1 || count <= facts.maxLogprobs) continue
    return new InvalidRequest({
      field,
      given: params[field] === -1 ? `-1, which asks for all ${count}` : String(count),
      expected: `at most ${facts.maxLogprobs}`,
      mend: "Ask for fewer, or raise the engine option maxLogprobs (-1: no bound)."
    })
  }
  return undefined
}

/** Replies to choose from must be enough, and a stream cannot take back what it has said of the others. */
const unreturnable = ({ n = 1, bestOf = n, outputKind = "delta" }: SamplingInput): InvalidRequest | undefined => {
  if (bestOf < n)
    return new InvalidRequest({
      field: "bestOf",
      given: String(bestOf),
      expected: `at least n (${n})`,
      mend: "Raise it, lower n, or leave it out."
    })
  if (bestOf === n || outputKind === "final") return undefined
  return new InvalidRequest({
    field: "bestOf",
    given: `${bestOf}, in a stream of n ${n}`,
    expected: "n itself: which replies are the best is known at their end",
    mend: 'Leave it out, or ask for the whole: generate, complete, or outputKind "final".'
  })
}

/** A grammar is made of text, and needs tokens of its own choice. */
const unstructured = ({ structuredOutputs, allowedTokenIds }: SamplingInput, facts: SamplingFacts) => {
  if (structuredOutputs === undefined) return undefined
  const field = "structuredOutputs"
  if (facts.tokenizer === undefined)
    return new InvalidRequest({
      field,
      given: "a grammar",
      expected: "none in an engine with skipTokenizerInit",
      mend: "Leave skipTokenizerInit out: grammars speak of text."
    })
  if (allowedTokenIds === undefined) return undefined
  return new InvalidRequest({
    field,
    given: "a grammar beside allowedTokenIds",
    expected: "one of them",
    mend: "Leave one out: together they may allow nothing at all."
  })
}

const stopNeedsText = (stop: ReadonlyArray<string>, facts: SamplingFacts) =>
  new InvalidRequest({
    field: "stop",
    given: show(stop),
    expected:
      facts.tokenizer !== undefined ? "none while detokenize is false" : "none in an engine with skipTokenizerInit",
    mend: "Stop texts are found in text: use stopTokenIds instead, or let tokens become text."
  })
