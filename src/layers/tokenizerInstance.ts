import type { TextStream } from "../domain/tokenizer/detokenizer.ts"
import type { TokenizerCore } from "../domain/tokenizer/tokenizer.ts"
import type { Detokenizer, DetokenizerOptions, TokenizerInstance } from "../services/Tokenizer.ts"

/** The service's view of a tokenizer. */
export const tokenizerInstance = (core: TokenizerCore): TokenizerInstance => ({
  vocabSize: core.vocabulary.size,
  specialIds: core.vocabulary.specialIds,
  encode: (text, options) => core.encode(text, options?.addSpecialTokens ?? true),
  encoding: (text, options) => core.encoding(text, options),
  specialTokens: (pair) => core.specialTokens(pair),
  truncationSide: core.truncationSide,
  decode: (ids, options) => core.decode(ids, options?.skipSpecialTokens ?? true),
  decodeToken: (id) => core.decode([id], false),
  tokenId: (text) => core.vocabulary.idOf(text),
  tokenBytes: core.tokenBytes,
  detokenizer: (options) => new StreamDetokenizer(core, options)
})

/** Enough of the prompt to settle the decoder's state: whether the text has begun, and a character cut in two. */
const CONTEXT = 16

class StreamDetokenizer implements Detokenizer {
  private readonly stream: TextStream
  private lastWasAdded = false

  constructor(
    private readonly core: TokenizerCore,
    private readonly options: DetokenizerOptions
  ) {
    this.stream = core.openStream()
    for (const id of options.promptTokenIds.slice(-CONTEXT)) this.one(id)
    this.stream.settle()
  }

  push(ids: ReadonlyArray<number>): string {
    if (ids.length === 1) return this.one(ids[0]!)
    let out = ""
    for (const id of ids) out += this.one(id)
    return out
  }

  flush(): string {
    return this.stream.flush()
  }

  private one(id: number): string {
    const { vocabulary } = this.core
    const { skipSpecialTokens, keepSpecialIds } = this.options
    if (vocabulary.tokenOf(id) === undefined) return ""
    if (skipSpecialTokens)
      return vocabulary.specialIds.has(id) && keepSpecialIds?.has(id) !== true ? "" : this.stream.push(id)
    const added = vocabulary.addedTextOf(id)
    const raw = added !== undefined && this.lastWasAdded && !this.options.spacesBetweenSpecialTokens
    this.lastWasAdded = added !== undefined
    const text = this.stream.push(id)
    return raw ? added : text
  }
}
