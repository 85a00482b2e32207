import { show } from "../config/show.ts"
import { InvalidRequest } from "../errors.ts"
import type { SamplingFacts } from "./samplingFacts.ts"
import type { SamplingInput } from "./samplingParams.ts"

/** -1 asks for the whole vocabulary's. */
export const logprobCount = (asked: number | undefined, { modelVocabSize }: SamplingFacts) =>
  asked === -1 ? modelVocabSize : asked

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

export const stopNeedsText = (stop: ReadonlyArray<string>, facts: SamplingFacts) =>
  new InvalidRequest({
    field: "stop",
    given: show(stop),
    expected:
      facts.tokenizer !== undefined ? "none while detokenize is false" : "none in an engine with skipTokenizerInit",
    mend: "Stop texts are found in text: use stopTokenIds instead, or let tokens become text."
  })

/** Why an engine cannot serve parameters that are each well-formed; undefined when it can. */
export const refusal = (params: SamplingInput, facts: SamplingFacts): InvalidRequest | undefined =>
  outOfRange(params, facts) ?? unreturnable(params) ?? unstructured(params, facts)
