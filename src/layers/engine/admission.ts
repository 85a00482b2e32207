import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { show } from "../../domain/config/show.ts"
import { decodeStrict } from "../../domain/config/strict.ts"
import { InvalidRequest, PromptTooLong } from "../../domain/errors.ts"
import type { SchedulerConfig } from "../../domain/schedule/scheduler.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"

/** What a request must fit into. */
export interface AdmissionLimits {
  readonly maxModelLen: number
  /** Rows of the model's embedding: a greater id would read past it. */
  readonly vocabSize: number
  readonly kvBlocks: number
  readonly blockSize: number
}

/** Decodes a request strictly: what its Schema does not name is refused. */
export const decodeRequest = <A, I>(schema: Schema.Schema<A, I>, given: unknown): Either.Either<A, InvalidRequest> =>
  Either.mapLeft(decodeStrict(schema, given), (problem) => new InvalidRequest(problem))

export const refuseLora = () =>
  new InvalidRequest({
    field: "lora",
    given: "an adapter",
    expected: "nothing",
    mend: "This build does not serve adapters yet: leave it out."
  })

interface RequestFields {
  readonly lora?: unknown
  readonly deadline?: Duration.DurationInput | undefined
  readonly priority?: number | undefined
}

/** What a request says beside its prompt and parameters. */
export const checkServed = (
  { lora, deadline, priority = 0 }: RequestFields,
  policy: SchedulerConfig["policy"]
): InvalidRequest | undefined => {
  if (lora !== undefined) return refuseLora()
  if (priority !== 0 && policy !== "priority")
    return new InvalidRequest({
      field: "priority",
      given: String(priority),
      expected: "0: this engine runs first what came first",
      mend: 'Leave it out, or start the engine with schedulingPolicy "priority".'
    })
  if (deadline === undefined || Duration.greaterThan(deadline, Duration.zero)) return undefined
  return new InvalidRequest({
    field: "deadline",
    given: show(deadline),
    expected: "a time still to come, counted from now",
    mend: "It has passed already: give a longer one, or leave it out."
  })
}

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

/** The last tokens of a prompt, as many as were asked for: -1 keeps as many as the model holds with one of reply. */
export const truncatePrompt = (
  ids: ReadonlyArray<number>,
  count: number | undefined,
  { maxModelLen }: AdmissionLimits
): Either.Either<ReadonlyArray<number>, InvalidRequest> => {
  if (count === undefined) return Either.right(ids)
  if (count === 0 || count > maxModelLen)
    return Either.left(
      new InvalidRequest({
        field: "truncatePromptTokens",
        given: String(count),
        expected: `from 1 to ${maxModelLen} (maxModelLen), or -1 for as many as the model holds`,
        mend: "Change it, or leave it out: then a prompt that is too long is refused."
      })
    )
  return Either.right(ids.slice(-Math.min(count === -1 ? maxModelLen : count, maxModelLen - 1)))
}

/** Replies that share a prompt's full blocks must find room for a block each, all at once. */
export const checkReplies = (
  field: string,
  replies: number,
  promptTokens: number,
  { kvBlocks, blockSize }: AdmissionLimits
): InvalidRequest | undefined => {
  const shared = Math.floor(promptTokens / blockSize)
  if (replies === 1 || shared + replies <= kvBlocks) return undefined
  return new InvalidRequest({
    field,
    given: `${replies}, with a prompt of ${promptTokens} tokens`,
    expected: `at most ${Math.max(1, kvBlocks - shared)}: the KV cache has ${kvBlocks} blocks of ${blockSize} tokens, the prompt fills ${shared} and each reply needs one`,
    mend: "Ask for fewer, shorten the prompt, or raise kvCacheMemoryBytes."
  })
}
