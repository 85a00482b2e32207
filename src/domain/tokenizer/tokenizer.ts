import { AddedTokenSplitter, countAdded } from "./addedTokens.ts"
import { bpe } from "./bpe.ts"
import { decoderOf } from "./decoder.ts"
import type { TokenizerDefinition } from "./definition.ts"
import { ByteStream, ByteTable, CleanStream, type TextStream, TokenStream } from "./detokenizer.ts"
import { dress, type Encoding, type EncodingOptions, specialCount } from "./encoding.ts"
import { type Model, vocabularyOf } from "./model.ts"
import { normalizerOf } from "./normalizer.ts"
import { preTokenizerOf } from "./pretokenizer.ts"
import { type CompileRegex, type Rule, rulesOf, TokenizerFault, typeOf } from "./rule.ts"
import { templateOf } from "./template.ts"
import { type TokenBytes, tokenBytesOf } from "./tokenBytes.ts"
import type { TruncationSide } from "./truncate.ts"
import { unigram, unigramVocabularyOf } from "./unigram.ts"
import { Vocabulary } from "./vocabulary.ts"
import { wordPiece } from "./wordPiece.ts"

export interface TokenizerCore {
  readonly vocabulary: Vocabulary
  encode(text: string, addSpecialTokens: boolean): Array<number>
  /** A text or pair with its token types, cut to size when asked. */
  encoding(text: string, options: EncodingOptions): Encoding
  /** Special tokens that the template adds to a text, or to a pair. */
  specialTokens(pair: boolean): number
  readonly truncationSide: TruncationSide | undefined
  decode(ids: ReadonlyArray<number>, skipSpecialTokens: boolean): string
  openStream(): TextStream
  /**
   * What a token adds to a text that has begun, as bytes; undefined for special tokens and ids without a token. Absent where
   * the text of a token hangs on its neighbours.
   */
  readonly tokenBytes: TokenBytes | undefined
}

/** Text -> added tokens -> normalizer -> added tokens -> pre-tokenizer -> model -> template, and back. */
export const makeTokenizer = (read: TokenizerDefinition, compile: CompileRegex): TokenizerCore => {
  const byteLevel = cutsToBytes(read.preTokenizer) && modelKind(read.model) === "BPE"
  const { model, ids, size } = modelOf(read.model, byteLevel)
  const definition = read.countsAdded ? { ...read, addedTokens: countAdded(read.addedTokens, ids, size) } : read
  const vocabulary = new Vocabulary(ids, definition.addedTokens)
  const bareIds = encoder(definition, compile, model, byteLevel)
  const template = templateOf(definition.postProcessor)
  const encoding = (text: string, options: EncodingOptions): Encoding => {
    const { pair = "" } = options
    return dress(template, bareIds(text), pair === "" ? undefined : bareIds(pair), options)
  }
  const openStream = streamOpener(definition, compile, vocabulary)
  const decode = (ids: ReadonlyArray<number>, skipSpecialTokens: boolean): string => {
    const stream = openStream(false)
    let out = ""
    for (const id of ids) {
      if (skipSpecialTokens && vocabulary.specialIds.has(id)) continue
      if (vocabulary.tokenOf(id) !== undefined) out += stream.push(id)
    }
    return out + stream.flush()
  }
  return {
    vocabulary,
    encode: (text, addSpecialTokens) =>
      addSpecialTokens && specialCount(template, false) > 0 ? [...encoding(text, {}).ids] : bareIds(text),
    encoding,
    specialTokens: (pair) => specialCount(template, pair),
    truncationSide: definition.truncationSide,
    decode,
    openStream: () => openStream(true),
    tokenBytes: tokenBytesOf(definition, cleansSpaces(definition), vocabulary, openStream)
  }
}

const cleansSpaces = ({ cleanUpSpaces, model }: TokenizerDefinition): boolean =>
  cleanUpSpaces && modelKind(model) !== "BPE"

const modelKind = (model: Rule): string => {
  const kind = typeOf(model)
  if (kind !== "(no type)") return kind
  // Files from before the type was written.
  if (Array.isArray(model.vocab)) return "Unigram"
  return "merges" in model ? "BPE" : "WordPiece"
}

interface ModelAndIds {
  readonly model: Model
  readonly ids: Map<string, number>
  /** Entries of the vocabulary: more than there are ids where a list names a token twice. */
  readonly size: number
}

const modelOf = (rule: Rule, byteLevel: boolean): ModelAndIds => {
  const kind = modelKind(rule)
  if (kind === "Unigram") {
    const vocabulary = unigramVocabularyOf(rule.vocab)
    return { model: unigram(rule, vocabulary), ids: vocabulary.ids, size: vocabulary.scores.length }
  }
  const ids = vocabularyOf(rule.vocab)
  if (kind === "BPE") return { model: bpe(rule, ids, byteLevel), ids, size: ids.size }
  if (kind === "WordPiece") return { model: wordPiece(rule, ids), ids, size: ids.size }
  throw new TokenizerFault(`the model ${kind} is not known; known are BPE, WordPiece and Unigram`)
}

/** Whether the last pre-tokenizer spells pieces in the byte alphabet. */
const cutsToBytes = (rule: Rule | undefined): boolean => {
  if (rule === undefined) return false
  if (typeOf(rule) === "Sequence") return cutsToBytes(rulesOf(rule, "pretokenizers").at(-1))
  return typeOf(rule) === "ByteLevel"
}

const encoder = (definition: TokenizerDefinition, compile: CompileRegex, model: Model, byteLevel: boolean) => {
  const normalize = normalizerOf(definition.normalizer, compile)
  const cut = preTokenizerOf(definition.preTokenizer, compile, byteLevel)
  const raw = new AddedTokenSplitter(
    definition.addedTokens.filter((token) => !token.normalized),
    (text) => text
  )
  const normal = new AddedTokenSplitter(
    definition.addedTokens.filter((token) => token.normalized),
    normalize ?? ((text) => text)
  )
  return (text: string): Array<number> => {
    // Unpaired surrogates have no UTF-8; they become U+FFFD, as an encoder of UTF-8 would have it.
    const whole = (text as string & { toWellFormed(): string }).toWellFormed()
    const out: Array<number> = []
    let first = true
    for (const stretch of raw.split(whole)) {
      if (typeof stretch === "number") out.push(stretch)
      else
        for (const segment of normal.split(normalize === undefined ? stretch : normalize(stretch))) {
          if (typeof segment === "number") out.push(segment)
          else for (const piece of cut(segment, first)) model.encodePiece(piece, out)
          first = false
        }
      first = false
    }
    return out
  }
}

const streamOpener = (definition: TokenizerDefinition, compile: CompileRegex, vocabulary: Vocabulary) => {
  if (definition.decoder !== undefined && typeOf(definition.decoder) === "ByteLevel") {
    const table = new ByteTable(vocabulary)
    return (_eager: boolean): TextStream => new ByteStream(table)
  }
  const open = decoderOf(definition.decoder, compile)
  // The reference cleans spaces for WordPiece and Unigram only.
  const clean = cleansSpaces(definition)
  return (eager: boolean): TextStream => {
    const stream = new TokenStream(vocabulary, open(eager))
    return clean ? new CleanStream(stream) : stream
  }
}
