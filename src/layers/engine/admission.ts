import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { decodeStrict } from "../../domain/config/strict.ts"
import { InvalidRequest, PromptTooLong } from "../../domain/errors.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"

/** What a request must fit into. */
export interface AdmissionLimits {
  readonly maxModelLen: number
  /** Rows of the model's embedding: a greater id would read past it. */
  readonly vocabSize: number
}

/** Decodes a request strictly: what its Schema does not name is refused. */
export const decodeRequest = <A, I>(schema: Schema.Schema<A, I>, given: unknown): Either.Either<A, InvalidRequest> =>
  Either.mapLeft(decodeStrict(schema, given), (problem) => new InvalidRequest(problem))

const noTokenizer = (field: string) =>
  new InvalidRequest({
    field,
    given: "text",
    expected: "token ids",
    mend: "This engine was started without a tokenizer (skipTokenizerInit); give promptTokenIds."
  })

export const requireTokenizer = (
  tokenizer: TokenizerInstance | undefined,
  field: string
): Either.Either<TokenizerInstance, InvalidRequest> =>
  tokenizer === undefined ? Either.left(noTokenizer(field)) : Either.right(tokenizer)

interface Prompt {
  readonly prompt?: string | undefined
  readonly promptTokenIds?: ReadonlyArray<number> | undefined
}

/** The prompt's ids: those given, or those of its text. */
export const promptIds = (
  { prompt, promptTokenIds }: Prompt,
  tokenizer: TokenizerInstance | undefined
): Either.Either<ReadonlyArray<number>, InvalidRequest> => {
  if ((prompt === undefined) === (promptTokenIds === undefined))
    return Either.left(
      new InvalidRequest({
        field: "prompt",
        given: prompt === undefined ? "neither prompt nor promptTokenIds" : "both prompt and promptTokenIds",
        expected: "exactly one of them",
        mend: prompt === undefined ? "Give a text or token ids." : "Leave one out."
      })
    )
  if (promptTokenIds !== undefined) return Either.right(promptTokenIds)
  return Either.map(requireTokenizer(tokenizer, "prompt"), ({ encode }) => encode(prompt!))
}

/** A prompt that the model can run: not empty, every id in range, room for one token of reply. */
export const checkPrompt = (
  ids: ReadonlyArray<number>,
  { maxModelLen, vocabSize }: AdmissionLimits
): InvalidRequest | PromptTooLong | undefined => {
  if (ids.length === 0)
    return new InvalidRequest({
      field: "prompt",
      given: "an empty prompt",
      expected: "at least one token",
      mend: "Give some text, or a token to begin with."
    })
  const at = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize)
  if (at >= 0)
    return new InvalidRequest({
      field: `promptTokenIds[${at}]`,
      given: String(ids[at]),
      expected: `a whole number from 0 to ${vocabSize - 1}: the model's embedding table has ${vocabSize} rows`,
      mend: "Tokenise with this model's own tokenizer; an id past the table cannot be embedded, whatever text it has."
    })
  return ids.length >= maxModelLen ? new PromptTooLong({ promptTokens: ids.length, maxModelLen }) : undefined
}
