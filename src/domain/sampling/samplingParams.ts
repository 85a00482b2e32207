import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { decodeStrict } from "../config/strict.ts"
import { field, finite, flag, int, jsonObject, oneOf, text } from "../config/types.ts"
import { InvalidRequest } from "../errors.ts"
import { BeamSearchParams } from "./beamParams.ts"

const texts = Schema.Union(text, Schema.Array(text)).annotations({
  description: "a text that is not empty, or a list of such texts"
})
const ids = Schema.Array(int(0)).annotations({ description: "a list of token ids" })
const penalty = finite("a number from -2 to 2", (value) => value >= -2 && value <= 2)
const bias = Schema.Record({
  key: Schema.String,
  value: Schema.Finite.annotations({ description: "a number" })
}).annotations({ description: "an object of numbers by token id" })
const structure = Schema.Struct({
  json: Schema.optional(Schema.Union(Schema.String, jsonObject)),
  regex: Schema.optional(text),
  choice: Schema.optional(Schema.Array(Schema.String)),
  grammar: Schema.optional(text),
  jsonObject: Schema.optional(flag)
}).annotations({ description: "one of json, regex, choice, grammar, jsonObject" })

/**
 * How a request's tokens are drawn and where it ends. Names, ranges and meanings are vLLM's; a field that is not given
 * is filled in from generation_config.json, then from the default named here.
 */
export const SamplingFields = Schema.Struct({
  n: field(int(1), "Replies to one prompt.", 1),
  bestOf: field(int(1), "Replies to choose the best n from."),
  presencePenalty: field(penalty, "Added against tokens that have occurred in the reply.", 0),
  frequencyPenalty: field(penalty, "Added against tokens, by how often they have occurred in the reply.", 0),
  repetitionPenalty: field(
    finite("a number above 0", (value) => value > 0),
    "Divides the scores of tokens that have occurred in prompt or reply.",
    1
  ),
  temperature: field(
    finite("a number from 0 to 2", (value) => value >= 0 && value <= 2),
    "Spread of the choice; 0 always takes the best token.",
    1
  ),
  topP: field(
    finite("a number above 0 and up to 1", (value) => value > 0 && value <= 1),
    "Draw among the best tokens that together have this probability.",
    1
  ),
  topK: field(int(-1), "Draw among this many best tokens; 0 or -1 draws among all.", 0),
  minP: field(
    finite("a number from 0 to 1", (value) => value >= 0 && value <= 1),
    "Draw among tokens at least this probable, relative to the best.",
    0
  ),
  seed: field(int(Number.MIN_SAFE_INTEGER), "The same seed gives the same reply."),
  stop: field(texts, "The reply ends before this text."),
  stopTokenIds: field(ids, "The reply ends with one of these tokens."),
  badWords: field(
    Schema.Array(text).annotations({ description: "a list of texts that are not empty" }),
    "Texts that are never written."
  ),
  includeStopStrInOutput: field(flag, "Keep the text that ended the reply.", false),
  ignoreEos: field(flag, "Go on after the model's own end.", false),
  maxTokens: field(int(1), "Tokens of the reply, at most.", 16),
  minTokens: field(int(0), "Tokens before the reply may end.", 0),
  logprobs: field(int(-1), "Logprobs of this many best tokens beside the drawn one's; -1 gives all."),
  promptLogprobs: field(int(-1), "The same for each token of the prompt."),
  detokenize: field(flag, "Turn the reply into text.", true),
  skipSpecialTokens: field(flag, "Leave special tokens out of the text.", true),
  spacesBetweenSpecialTokens: field(flag, "Put spaces around special tokens.", true),
  truncatePromptTokens: field(int(-1), "Keep only this many tokens of the prompt, its last."),
  logitBias: field(bias, "Added to the scores of tokens, by id; held to -100 and 100."),
  allowedTokenIds: field(ids, "Draw among these tokens only."),
  outputKind: field(oneOf("cumulative", "delta", "final"), "What each piece of a stream carries.", "delta"),
  structuredOutputs: field(structure, "What the reply must conform to.")
})

export type SamplingInput = typeof SamplingFields.Type

const beamsElsewhere = new InvalidRequest({
  field: "params",
  given: "BeamSearchParams",
  expected: "SamplingParams",
  mend: "A beam search is made by beamSearch, or by LLM.generate: it is neither streamed nor a chat."
})

/** Decodes plain data, or an instance of the class below, strictly. */
export const decodeSampling = (given: unknown): Either.Either<SamplingInput, InvalidRequest> =>
  given instanceof BeamSearchParams
    ? Either.left(beamsElsewhere)
    : Either.mapLeft(decodeStrict(SamplingFields, given), (problem) => new InvalidRequest(problem))

export interface SamplingParams extends SamplingInput {}

/** Sampling parameters as a class, for people who like one: throws InvalidRequest. Plain objects serve as well. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: as above
export class SamplingParams {
  static readonly schema = SamplingFields

  constructor(given: SamplingInput = {}) {
    Object.assign(
      this,
      Either.getOrThrowWith(decodeSampling(given), (error) => error)
    )
  }
}
