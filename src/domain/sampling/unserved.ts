import { show } from "../config/show.ts"
import { InvalidRequest } from "../errors.ts"
import type { SamplingInput } from "./samplingParams.ts"

type Harmless = { readonly [Name in keyof SamplingInput]?: (value: NonNullable<SamplingInput[Name]>) => boolean }

/** Parameters that are known and that no part of this build acts on yet, with the values that ask for nothing. */
const harmless: Harmless = {
  n: (count) => count === 1,
  bestOf: (count) => count === 1,
  presencePenalty: (penalty) => penalty === 0,
  frequencyPenalty: (penalty) => penalty === 0,
  repetitionPenalty: (penalty) => penalty === 1,
  badWords: (words) => words.length === 0,
  minTokens: (tokens) => tokens === 0,
  truncatePromptTokens: () => false,
  logitBias: (bias) => Object.keys(bias).length === 0,
  allowedTokenIds: () => false,
  structuredOutputs: () => false,
  logprobs: (count) => count >= 0,
  promptLogprobs: (count) => count >= 0
}

/** The first parameter that asks for something which this build would silently not do. */
export const unservedParam = (given: SamplingInput): InvalidRequest | undefined => {
  for (const [name, asksNothing] of Object.entries(harmless)) {
    const value = given[name as keyof SamplingInput]
    if (value === undefined || (asksNothing as (value: unknown) => boolean)(value)) continue
    return new InvalidRequest({
      field: name,
      given: show(value),
      expected: "its default",
      mend: "This build does not serve it yet: leave it out."
    })
  }
  return undefined
}

/** The same for what generation_config.json or overrideGenerationConfig brought in. */
export const unservedDefault = ({ repetitionPenalty = 1 }: SamplingInput): InvalidRequest | undefined =>
  repetitionPenalty === 1
    ? undefined
    : new InvalidRequest({
        field: "repetitionPenalty",
        given: `${repetitionPenalty}, by the model's generation_config.json or overrideGenerationConfig`,
        expected: "1",
        mend: 'This build does not serve it yet: give repetitionPenalty 1, or the engine option generationConfig "vllm".'
      })
