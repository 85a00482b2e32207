import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { show } from "../../domain/config/show.ts"
import { decodeStrict } from "../../domain/config/strict.ts"
import { field, flag } from "../../domain/config/types.ts"
import { InvalidRequest } from "../../domain/errors.ts"
import type { EngineService } from "../../services/Engine.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"
import { requireTokenizer } from "./admission.ts"

const Encoded = Schema.Struct({
  text: Schema.String.annotations({ description: "a text" }),
  addSpecialTokens: field(flag, "Put the model's own tokens around the text.", true)
})

const Decoded = Schema.Struct({
  ids: Schema.Array(Schema.NonNegativeInt.annotations({ description: "a token id" })).annotations({
    description: "a list of token ids"
  }),
  skipSpecialTokens: field(flag, "Leave special tokens out of the text.", true)
})

const decode = <A, I>(schema: Schema.Schema<A, I>, given: unknown) =>
  Either.mapLeft(decodeStrict(schema, given), (problem) => new InvalidRequest(problem))

const outside = (ids: ReadonlyArray<number>, at: number, vocabSize: number) =>
  new InvalidRequest({
    field: `ids[${at}]`,
    given: show(ids[at]),
    expected: `an id below ${vocabSize}, the size of the vocabulary`,
    mend: "Leave it out: it is no token of this model."
  })

/** Text to ids and back, by the tokenizer alone. Ids of the model that have no text become nothing. */
export const makeWords = (
  tokenizer: TokenizerInstance | undefined,
  modelVocabSize: number
): Pick<EngineService, "tokenize" | "detokenize"> => ({
  tokenize: (given, options) =>
    Effect.gen(function* () {
      const words = yield* requireTokenizer(tokenizer, "text")
      const { text, addSpecialTokens = true } = yield* decode(Encoded, { ...options, text: given })
      return words.encode(text, { addSpecialTokens })
    }),
  detokenize: (given, options) =>
    Effect.gen(function* () {
      const words = yield* requireTokenizer(tokenizer, "ids")
      const { ids, skipSpecialTokens = true } = yield* decode(Decoded, { ...options, ids: given })
      const vocabSize = Math.max(modelVocabSize, words.vocabSize)
      const strange = ids.findIndex((id) => id >= vocabSize)
      return strange < 0 ? words.decode(ids, { skipSpecialTokens }) : yield* outside(ids, strange, vocabSize)
    })
})
