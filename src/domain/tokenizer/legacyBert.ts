import type { AddedToken } from "./addedTokens.ts"
import { type TokenizerDefinition, truncationSideOf } from "./definition.ts"
import { flagOf, isRecord, type Rule, TokenizerFault } from "./rule.ts"

/** The files of a BERT repository from before tokenizer.json; absent ones are empty. */
export interface LegacyBertFiles {
  /** vocab.txt: a token a line, whose number is its id. */
  readonly vocab: string
  readonly config: Rule
  readonly specialTokensMap: Rule
}

const defaults = {
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]"
}
type Special = keyof typeof defaults

const spelling = (name: Special, { config, specialTokensMap }: LegacyBertFiles): string => {
  const given = config[name] ?? specialTokensMap[name]
  const text = isRecord(given) ? given.content : given
  return typeof text === "string" ? text : defaults[name]
}

/** vocab.txt: WordPiece, as BERT and DistilBERT were published. */
export const legacyBertDefinition = (files: LegacyBertFiles): TokenizerDefinition => {
  const { config } = files
  const vocab: Record<string, number> = {}
  files.vocab
    .replace(/\r?\n$/, "")
    .split(/\r?\n/)
    .forEach((token, id) => {
      vocab[token] = id
    })
  const pair = (name: Special): readonly [string, number] => {
    const token = spelling(name, files)
    const id = vocab[token]
    if (id === undefined) throw new TokenizerFault(`${name} is ${token}, which is no line of the file`)
    return [token, id]
  }
  const special = (name: Special): ReadonlyArray<AddedToken> => {
    const content = spelling(name, files)
    const id = vocab[content]
    const plain = { singleWord: false, lstrip: false, rstrip: false, normalized: false, special: true }
    return id === undefined ? [] : [{ id, content, ...plain }]
  }
  return {
    addedTokens: (Object.keys(defaults) as ReadonlyArray<Special>).flatMap(special),
    countsAdded: false,
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: flagOf(config, "tokenize_chinese_chars", true),
      lowercase: flagOf(config, "do_lower_case", true),
      ...(typeof config.strip_accents === "boolean" ? { strip_accents: config.strip_accents } : {})
    },
    preTokenizer: { type: "BertPreTokenizer" },
    model: { type: "WordPiece", vocab, unk_token: spelling("unk_token", files), continuing_subword_prefix: "##" },
    postProcessor: { type: "BertProcessing", sep: pair("sep_token"), cls: pair("cls_token") },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    cleanUpSpaces: flagOf(config, "clean_up_tokenization_spaces"),
    truncationSide: truncationSideOf(config)
  }
}
