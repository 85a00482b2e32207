/** What is wanted of a repository. */
export type Part = "model" | "tokenizer" | "generation"

const tokenizerFiles: ReadonlyArray<RegExp> = [
  /^(?:tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$/,
  /^(?:merges|vocab)\.txt$/,
  /^chat_template\.jinja$/,
  /^additional_chat_templates\/[^/]+\.jinja$/
]
const generationFiles: ReadonlyArray<RegExp> = [/^(?:config|generation_config)\.json$/]
const modelFiles: ReadonlyArray<RegExp> = [
  ...generationFiles,
  ...tokenizerFiles,
  /^quant(?:ize)?_config\.json$/,
  // Sentence Transformers: the list of modules, each module's settings, the encoder's own length.
  /^(?:modules|config_sentence_transformers|sentence_[\w-]+_config)\.json$/,
  /^\d+_\w+\/config\.json$/
]
const patterns: Readonly<Record<Part, ReadonlyArray<RegExp>>> = {
  model: modelFiles,
  tokenizer: [...tokenizerFiles, ...generationFiles],
  generation: generationFiles
}

/** Weight files in the order in which one folder of a checkpoint is searched for them. */
const weightNames = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json"
] as const

/** The file by which the weights of a folder are found; undefined when it has none that we read. */
export const weightEntry = (names: Iterable<string>, folder = ""): string | undefined => {
  const all = new Set(names)
  return weightNames.map((name) => folder + name).find((name) => all.has(name))
}

/** The small files of a repository that an engine reads, and its one weight file or index. Shards come when the index is known. */
export const selectFiles = (names: ReadonlyArray<string>, part: Part): ReadonlyArray<string> => {
  const small = names.filter((name) => patterns[part].some((pattern) => pattern.test(name)))
  if (part !== "model") return small
  // Modules such as 2_Dense may have weights of their own.
  const folders = ["", ...new Set(names.map((name) => /^\d+_\w+\//.exec(name)?.[0] ?? ""))]
  const weights = [...new Set(folders)].flatMap((folder) => weightEntry(names, folder) ?? [])
  return [...small, ...weights]
}

export const isWeightIndex = (name: string): boolean => name.endsWith(".index.json")

/** Whether the name is one of weights in any format, for the message that says which ones a repository has instead. */
export const looksLikeWeights = (name: string): boolean =>
  /\.(?:gguf|h5|msgpack|onnx|bin|pth?|ckpt|safetensors)$/.test(name)
