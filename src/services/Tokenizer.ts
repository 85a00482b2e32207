import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CheckpointInvalid } from "../domain/errors.ts"
import type { Encoding, EncodingOptions } from "../domain/tokenizer/encoding.ts"
import type { TruncationSide } from "../domain/tokenizer/truncate.ts"
import type { ModelFolder } from "./ModelSource.ts"

/** Turns a stream of ids into text; never emits part of a UTF-8 character. One per output sequence, synchronous. */
export interface Detokenizer {
  /** The text that is certain after these ids. */
  push(ids: ReadonlyArray<number>): string
  /** What remains at the end of the stream: U+FFFD where the ids stop inside a character. */
  flush(): string
}

export interface DetokenizerOptions {
  /** Ids that came before; they give context and no text. */
  readonly promptTokenIds: ReadonlyArray<number>
  readonly skipSpecialTokens: boolean
  /** Special tokens whose text stays all the same. */
  readonly keepSpecialIds?: ReadonlySet<number>
  readonly spacesBetweenSpecialTokens: boolean
}

/** A checkpoint's tokenizer. Synchronous and pure once loaded; long texts are the caller's to move off the event loop. */
export interface TokenizerInstance {
  /** Ids run below this; added tokens included. */
  readonly vocabSize: number
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Array<number>
  /** A text or pair with its token types, cut to size when asked. */
  encoding(text: string, options: EncodingOptions): Encoding
  /** Special tokens that a text, or a pair, is given. */
  readonly specialTokens: (pair: boolean) => number
  /** The end that the checkpoint wants cut off; undefined where it does not say. */
  readonly truncationSide: TruncationSide | undefined
  decode(ids: ReadonlyArray<number>, options?: { readonly skipSpecialTokens?: boolean }): string
  /** The text of one token by itself, as logprobs show it; "" for an id without text. */
  decodeToken(id: number): string
  detokenizer(options: DetokenizerOptions): Detokenizer
  readonly tokenId: (text: string) => number | undefined
  /** The token that tokenizer_config.json calls the end of a text; absent where it names none. */
  readonly eosTokenId?: number | undefined
  readonly specialIds: ReadonlySet<number>
  /**
   * What a token adds to a text that has begun, as bytes; undefined for special tokens and ids without a token. Absent where
   * the text of a token hangs on its neighbours: then replies cannot be held to a grammar.
   */
  readonly tokenBytes: ((id: number) => Uint8Array | undefined) | undefined
}

export class Tokenizer extends Context.Tag("millrace/Tokenizer")<
  Tokenizer,
  {
    /** "slow" prefers vocab.json with merges.txt, where a folder has them, to tokenizer.json. */
    readonly load: (folder: ModelFolder, mode?: "auto" | "slow") => Effect.Effect<TokenizerInstance, CheckpointInvalid>
  }
>() {}
