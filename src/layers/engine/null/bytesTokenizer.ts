import { dress } from "../../../domain/tokenizer/encoding.ts"
import { bare } from "../../../domain/tokenizer/template.ts"
import type { TokenizerInstance } from "../../../services/Tokenizer.ts"

/** Ends a reply of the null model, when its script draws it. */
export const endOfText = 256

/** Ids of the null model; those from 257 have no text. */
export const vocabSize = 512

const bytesOf = (text: string) => [...Buffer.from(text, "utf8")]
const isByte = (id: number) => id < 256

/** A tokenizer without files: the UTF-8 bytes of a text are its ids, and 256 ends it. */
export const bytesTokenizer: TokenizerInstance = {
  vocabSize,
  specialIds: new Set([endOfText]),
  tokenId: (text) => (Buffer.byteLength(text) === 1 ? Buffer.from(text)[0] : undefined),
  encode: bytesOf,
  encoding: (text, options) => dress(bare, bytesOf(text), options.pair ? bytesOf(options.pair) : undefined, options),
  specialTokens: () => 0,
  truncationSide: undefined,
  decode: (ids) => Buffer.from(ids.filter(isByte)).toString("utf8"),
  tokenBytes: (id) => (isByte(id) ? Uint8Array.of(id) : undefined),
  decodeToken: (id) => (isByte(id) ? Buffer.from([id]).toString("utf8") : ""),
  detokenizer: () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
    return {
      push: (ids) => decoder.decode(Uint8Array.from(ids.filter(isByte)), { stream: true }),
      flush: () => decoder.decode()
    }
  }
}
