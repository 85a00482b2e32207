import type { AddedToken } from "./addedTokens.ts"
import { type TokenizerDefinition, truncationSideOf } from "./definition.ts"
import { flagOf, isRecord, type Rule, TokenizerFault, textOf } from "./rule.ts"

/** The files of a repository from before tokenizer.json, parsed; absent ones are empty. */
export interface LegacyFiles {
  readonly vocab: Rule
  readonly merges: string
  readonly config: Rule
  readonly specialTokensMap: Rule
  readonly addedTokens: Rule
}

const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/** vocab.json + merges.txt: byte-level BPE, as GPT-2, OPT, RoBERTa and Qwen2 publish it. */
export const legacyDefinition = (files: LegacyFiles): TokenizerDefinition => {
  const { config } = files
  const kind = textOf(config, "tokenizer_class").replace(/Fast$/, "")
  const byteLevel: Rule = { type: "ByteLevel", add_prefix_space: flagOf(config, "add_prefix_space"), use_regex: true }
  const split: Rule = { type: "Split", pattern: { Regex: QWEN2 }, behavior: "Isolated" }
  const qwen2 = kind === "Qwen2Tokenizer"
  const added = addedTokensOf(files)
  return {
    addedTokens: added,
    countsAdded: false,
    normalizer: qwen2 ? { type: "NFC" } : undefined,
    preTokenizer: qwen2 ? { type: "Sequence", pretokenizers: [split, { ...byteLevel, use_regex: false }] } : byteLevel,
    model: { type: "BPE", vocab: files.vocab, merges: mergeLines(files.merges) },
    postProcessor: postProcessorOf(kind, files, added),
    decoder: { type: "ByteLevel" },
    cleanUpSpaces: flagOf(config, "clean_up_tokenization_spaces"),
    truncationSide: truncationSideOf(config)
  }
}

/** One merge a line; the first may be `#version: 0.2`. */
const mergeLines = (text: string): ReadonlyArray<string> =>
  text.split(/\r?\n/).filter((line, at) => line !== "" && !(at === 0 && line.startsWith("#version")))

const NAMED = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]

/** Added tokens from all the places where such repositories keep them. One that has no id anywhere gets the next. */
const addedTokensOf = (files: LegacyFiles): ReadonlyArray<AddedToken> => {
  const tokens = new Map<string, AddedToken>()
  let next = 0
  for (const id of [...Object.values(files.vocab), ...Object.values(files.addedTokens)])
    if (typeof id === "number" && id >= next) next = id + 1
  const add = (given: unknown, special: boolean, known?: number) => {
    const rule: Rule = isRecord(given) ? given : { content: given }
    const content = textOf(rule, "content")
    if (content === "" || tokens.has(content)) return
    const named = known ?? files.addedTokens[content] ?? files.vocab[content]
    tokens.set(content, {
      id: typeof named === "number" ? named : next++,
      content,
      singleWord: flagOf(rule, "single_word"),
      lstrip: flagOf(rule, "lstrip"),
      rstrip: flagOf(rule, "rstrip"),
      normalized: flagOf(rule, "normalized", !special),
      special: flagOf(rule, "special", special)
    })
  }
  const decoder = files.config.added_tokens_decoder
  if (isRecord(decoder)) for (const [id, token] of Object.entries(decoder)) add(token, false, Number(id))
  for (const source of [files.config, files.specialTokensMap]) {
    for (const name of NAMED) add(source[name], true)
    const more = source.additional_special_tokens
    if (Array.isArray(more)) for (const token of more) add(token, true)
  }
  for (const [content, id] of Object.entries(files.addedTokens)) if (typeof id === "number") add(content, false, id)
  return [...tokens.values()]
}

const postProcessorOf = (kind: string, files: LegacyFiles, added: ReadonlyArray<AddedToken>): Rule | undefined => {
  const pair = (name: string): readonly [string, number] => {
    const given = files.config[name] ?? files.specialTokensMap[name]
    const content = isRecord(given) ? given.content : given
    const id = added.find((token) => token.content === content)?.id
    if (id === undefined || typeof content !== "string")
      throw new TokenizerFault(
        `tokenizer_config.json and special_tokens_map.json name no ${name} that the vocabulary has`
      )
    return [content, id]
  }
  if (kind === "RobertaTokenizer" || kind === "BartTokenizer")
    return { type: "RobertaProcessing", sep: pair("sep_token"), cls: pair("cls_token") }
  const single: Array<Rule> = [{ Sequence: { id: "A", type_id: 0 } }]
  const second: Array<Rule> = [{ Sequence: { id: "B", type_id: 1 } }]
  const tokens: Record<string, Rule> = {}
  for (const [flag, name] of [
    ["add_bos_token", "bos_token"],
    ["add_eos_token", "eos_token"]
  ] as const) {
    if (!flagOf(files.config, flag)) continue
    const [content, id] = pair(name)
    tokens[content] = { ids: [id] }
    const add = name === "bos_token" ? "unshift" : "push"
    single[add]({ SpecialToken: { id: content, type_id: 0 } })
    second[add]({ SpecialToken: { id: content, type_id: 1 } })
  }
  if (single.length === 1) return undefined
  return { type: "TemplateProcessing", single, pair: [...single, ...second], special_tokens: tokens }
}
