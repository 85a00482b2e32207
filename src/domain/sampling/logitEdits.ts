import * as Either from "effect/Either"
import { show } from "../config/show.ts"
import { InvalidRequest } from "../errors.ts"
import { maskWords } from "../grammar/constraint.ts"
import type { LogitEdits, TokenLimits } from "../request/sequence.ts"
import type { SamplingFacts } from "./samplingFacts.ts"
import type { SamplingInput } from "./samplingParams.ts"

/** As in vLLM: a bias past this is no stronger. */
const greatestBias = 100
/** Penalties past these would carry logits out of float32, and could not be told from them. */
const leastRepetition = 1e-30
const greatestRepetition = 1e30

type Resolved<A> = Either.Either<A, InvalidRequest>

const refuse = (field: string, given: unknown, expected: string, mend: string) =>
  Either.left(new InvalidRequest({ field, given: show(given), expected, mend }))

const outOfVocabulary = (field: string, id: number | string, { vocabSize }: SamplingFacts) =>
  refuse(field, id, `an id below ${vocabSize}, the size of the vocabulary`, "Leave it out: the model cannot write it.")

/** Ids that end the reply; the model must be able to write them to be kept from it. */
const earlyIds = (limits: TokenLimits, { modelVocabSize }: SamplingFacts) =>
  Int32Array.from(
    [...new Set([...limits.eosTokenIds, ...limits.stopTokenIds])].filter((id) => id >= 0 && id < modelVocabSize)
  )

const biases = (given: Readonly<Record<string, number>>, facts: SamplingFacts) =>
  Either.gen(function* () {
    const kept: Array<readonly [number, number]> = []
    for (const [key, bias] of Object.entries(given)) {
      const id = Number(key)
      if (!/^\d+$/.test(key) || id >= facts.vocabSize) return yield* outOfVocabulary(`logitBias.${key}`, key, facts)
      if (id < facts.modelVocabSize) kept.push([id, Math.max(-greatestBias, Math.min(greatestBias, bias))])
    }
    return { biasIds: Int32Array.from(kept, ([id]) => id), biasValues: Float32Array.from(kept, ([, bias]) => bias) }
  })

const allowedMask = (ids: ReadonlyArray<number> | undefined, early: Int32Array, facts: SamplingFacts) =>
  Either.gen(function* () {
    if (ids === undefined) return undefined
    const strange = ids.findIndex((id) => id >= facts.vocabSize)
    if (strange >= 0) return yield* outOfVocabulary(`allowedTokenIds[${strange}]`, ids[strange]!, facts)
    const mask = new Uint32Array(maskWords(facts.modelVocabSize))
    const drawable = ids.filter((id) => id < facts.modelVocabSize)
    for (const id of drawable) mask[id >>> 5]! |= 1 << (id & 31)
    if (drawable.every((id) => early.includes(id)))
      return yield* refuse(
        "allowedTokenIds",
        ids,
        early.length > 0
          ? "at least one id that minTokens does not forbid"
          : "at least one id that the model can write",
        "Allow more, or leave it out to allow all."
      )
    return mask
  })

/**
 * A bad word as ids: as it stands at the beginning of a text, and behind a space. vLLM leaves the second out where it is longer
 * or shorter than the first; but then " word" would still be written, so we forbid both.
 */
const spellings = (word: string, tokenizer: NonNullable<SamplingFacts["tokenizer"]>) => {
  const bare = word.trimStart()
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false })
  // A word of white space alone stands for itself.
  if (bare === "") return [encode(word)]
  const first = encode(bare)
  const spaced = encode(` ${bare}`)
  return String(spaced) === String(first) ? [first] : [first, spaced]
}

const badWordIds = (
  words: ReadonlyArray<string>,
  facts: SamplingFacts
): Resolved<ReadonlyArray<ReadonlyArray<number>>> => {
  const { tokenizer, modelVocabSize } = facts
  if (words.length === 0) return Either.right([])
  if (tokenizer === undefined)
    return refuse(
      "badWords",
      words,
      "none in an engine with skipTokenizerInit",
      "Use logitBias: words need a tokenizer."
    )
  const spelled = words.map((word) => spellings(word, tokenizer))
  const empty = spelled.findIndex((each) => each.some((ids) => ids.length === 0))
  if (empty >= 0)
    return refuse(
      `badWords[${empty}]`,
      words[empty],
      "a text of at least one token",
      "Leave it out: it cannot be written."
    )
  return Either.right(spelled.flat().filter((ids) => ids.at(-1)! < modelVocabSize))
}

/** What a request asks to be done to its logits before the draw; undefined where it asks for nothing. */
export const resolveEdits = (
  params: SamplingInput,
  limits: TokenLimits,
  facts: SamplingFacts
): Resolved<LogitEdits | undefined> =>
  Either.gen(function* () {
    const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0, minTokens = 0 } = params
    if (minTokens > limits.maxTokens)
      return yield* refuse(
        "minTokens",
        minTokens,
        `at most maxTokens, ${limits.maxTokens}`,
        "Lower it, or raise maxTokens."
      )
    const early = minTokens > 0 ? earlyIds(limits, facts) : new Int32Array(0)
    const { biasIds, biasValues } = yield* biases(params.logitBias ?? {}, facts)
    const allowed = yield* allowedMask(params.allowedTokenIds, early, facts)
    const badWords = yield* badWordIds(params.badWords ?? [], facts)
    const asks = early.length > 0 || biasIds.length > 0 || allowed !== undefined || badWords.length > 0
    if (!asks && repetitionPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return undefined
    return {
      allowed,
      badWords,
      minTokens,
      early,
      biasIds,
      biasValues,
      repetitionPenalty: Math.min(greatestRepetition, Math.max(leastRepetition, repetitionPenalty)),
      presencePenalty,
      frequencyPenalty
    }
  })
