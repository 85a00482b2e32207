import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { decodeStrict } from "../config/strict.ts"
import { field, finite, flag, int } from "../config/types.ts"
import { InvalidRequest } from "../errors.ts"

/** How a beam search goes. Names and meanings are vLLM's. */
export const BeamFields = Schema.Struct({
  beamWidth: field(int(1), "Beams that are kept, and returned.", 4),
  maxTokens: field(int(1), "Tokens of a beam, at most.", 16),
  ignoreEos: field(flag, "Go on after the model's own end.", false),
  temperature: field(
    finite("a number from 0 to 2", (value) => value >= 0 && value <= 2),
    "Above 0, a token drawn at this temperature joins each beam's candidates; their logprobs stay the model's own.",
    0
  ),
  lengthPenalty: field(
    Schema.Finite.annotations({ description: "a finite number" }),
    "Scores are divided by the length to this power: above 0 it favours long beams.",
    1
  ),
  includeStopStrInOutput: field(flag, "Keep the end-of-sequence token in the text.", false)
})
export type BeamSearchInput = typeof BeamFields.Type

/** Decodes plain data, or an instance of the class below, strictly. */
export const decodeBeamSearch = (given: unknown): Either.Either<BeamSearchInput, InvalidRequest> =>
  Either.mapLeft(decodeStrict(BeamFields, given), (problem) => new InvalidRequest(problem))

/** Parameters of a beam search with nothing left open. */
export type ResolvedBeamSearch = { readonly [Name in keyof BeamSearchInput]-?: NonNullable<BeamSearchInput[Name]> }

export const resolveBeamSearch = (given: BeamSearchInput): ResolvedBeamSearch => ({
  beamWidth: given.beamWidth ?? 4,
  maxTokens: given.maxTokens ?? 16,
  ignoreEos: given.ignoreEos ?? false,
  temperature: given.temperature ?? 0,
  lengthPenalty: given.lengthPenalty ?? 1,
  includeStopStrInOutput: given.includeStopStrInOutput ?? false
})

export interface BeamSearchParams extends BeamSearchInput {}

/** Parameters of a beam search as a class, which tells LLM.generate to make one: throws InvalidRequest. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the fields are the Schema's, assigned by the constructor
export class BeamSearchParams {
  static readonly schema = BeamFields

  constructor(given: BeamSearchInput = {}) {
    Object.assign(
      this,
      Either.getOrThrowWith(decodeBeamSearch(given), (error) => error)
    )
  }
}
