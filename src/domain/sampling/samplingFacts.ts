/** What resolving a request asks of its engine; made once. */
export interface SamplingFacts {
  /** Ids run below this: the larger of the model's and the tokenizer's vocabulary. */
  readonly vocabSize: number
  /** Logits of a row: ids that the model can write run below this. */
  readonly modelVocabSize: number
  /** -1: no bound. */
  readonly maxLogprobs: number
  /** From config.json; those of generation_config.json join them. */
  readonly eosTokenIds: ReadonlyArray<number>
  /** Undefined in an engine that knows token ids alone. */
  readonly tokenizer:
    | { encode(text: string, options: { readonly addSpecialTokens: boolean }): ReadonlyArray<number> }
    | undefined
  /** The engine's own seed. */
  readonly seed: number
}
