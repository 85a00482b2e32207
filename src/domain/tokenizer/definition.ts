import type { AddedToken } from "./addedTokens.ts"
import { flagOf, isRecord, type Rule, rulesOf, TokenizerFault, textOf } from "./rule.ts"
import type { TruncationSide } from "./truncate.ts"

/** All that makes a tokenizer, read from tokenizer.json or put together from older files. */
export interface TokenizerDefinition {
  readonly addedTokens: ReadonlyArray<AddedToken>
  /** Whether the ids of added tokens are counted anew, as the reference does with those of a tokenizer.json. */
  readonly countsAdded: boolean
  readonly normalizer: Rule | undefined
  readonly preTokenizer: Rule | undefined
  readonly model: Rule
  readonly postProcessor: Rule | undefined
  readonly decoder: Rule | undefined
  /** `clean_up_tokenization_spaces` of tokenizer_config.json; false where it says nothing. */
  readonly cleanUpSpaces: boolean
  /** `truncation_side` of tokenizer_config.json; undefined where it says nothing. */
  readonly truncationSide: TruncationSide | undefined
}

/** What tokenizer_config.json says of cutting. */
export const truncationSideOf = (config: Rule): TruncationSide | undefined => {
  const side = config.truncation_side
  return side === "left" || side === "right" ? side : undefined
}

/** `json` is a parsed tokenizer.json, `config` a parsed tokenizer_config.json. */
export const definitionOf = (json: unknown, config: Rule): TokenizerDefinition => {
  if (!isRecord(json) || !isRecord(json.model)) throw new TokenizerFault("tokenizer.json has no model")
  return {
    addedTokens: rulesOf(json, "added_tokens").map(addedTokenOf),
    countsAdded: true,
    normalizer: ruleAt(json, "normalizer"),
    preTokenizer: ruleAt(json, "pre_tokenizer"),
    model: json.model,
    postProcessor: ruleAt(json, "post_processor"),
    decoder: ruleAt(json, "decoder"),
    cleanUpSpaces: flagOf(config, "clean_up_tokenization_spaces"),
    truncationSide: truncationSideOf(config)
  }
}

const ruleAt = (json: Rule, key: string): Rule | undefined => {
  const rule = json[key]
  return isRecord(rule) ? rule : undefined
}

const addedTokenOf = (token: Rule): AddedToken => {
  const { id } = token
  if (typeof id !== "number" || !Number.isInteger(id) || id < 0)
    throw new TokenizerFault(
      `added_tokens gives ${JSON.stringify(token.content)} the id ${JSON.stringify(id)}, not a whole number from 0`
    )
  const special = flagOf(token, "special")
  return {
    id,
    content: textOf(token, "content"),
    singleWord: flagOf(token, "single_word"),
    lstrip: flagOf(token, "lstrip"),
    rstrip: flagOf(token, "rstrip"),
    normalized: flagOf(token, "normalized", !special),
    special
  }
}
