import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { decodeStrict } from "../config/strict.ts"
import { field, flag, int } from "../config/types.ts"
import { InvalidRequest } from "../errors.ts"

/** Tokens kept of a prompt: some, or as many as the model takes. */
const truncation = Schema.Union(Schema.Literal(-1), int(1)).annotations({
  description: "a whole number of at least 1, or -1 for as many tokens as the model takes"
})

/** How one request is pooled. A field that is not given stands as the engine's overridePoolerConfig, the checkpoint's files or the architecture have it. */
export const PoolingFields = Schema.Struct({
  dimensions: field(int(1), "Keep this many numbers of an embedding, then normalise (Matryoshka)."),
  normalize: field(flag, "Give embeddings the length 1."),
  activation: field(flag, "Turn a classifier's logits into probabilities."),
  truncatePromptTokens: field(truncation, "Cut longer texts to this many tokens, special ones kept."),
  stepTagId: field(int(0), "Answer for tokens of this id alone."),
  returnedTokenIds: field(
    Schema.Array(int(0)).annotations({ description: "a list of column numbers" }),
    "Keep these columns of every row."
  )
})
export type PoolingInput = typeof PoolingFields.Type

/** Decodes plain data, or an instance of the class below, strictly. */
export const decodePooling = (given: unknown): Either.Either<PoolingInput, InvalidRequest> =>
  Either.mapLeft(decodeStrict(PoolingFields, given), (problem) => new InvalidRequest(problem))

export interface PoolingParams extends PoolingInput {}

/** Pooling parameters as a class, for people who like one: throws InvalidRequest. Plain objects serve as well. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: as above
export class PoolingParams {
  static readonly schema = PoolingFields

  constructor(given: PoolingInput = {}) {
    Object.assign(
      this,
      Either.getOrThrowWith(decodePooling(given), (error) => error)
    )
  }
}
