import * as tokenizers from "@huggingface/tokenizers"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CheckpointInvalid } from "../domain/errors.ts"
import { definitionOf, type TokenizerDefinition } from "../domain/tokenizer/definition.ts"
import { legacyDefinition } from "../domain/tokenizer/legacy.ts"
import { legacyBertDefinition } from "../domain/tokenizer/legacyBert.ts"
import { type CompileRegex, isRecord, type Rule } from "../domain/tokenizer/rule.ts"
import { makeTokenizer } from "../domain/tokenizer/tokenizer.ts"
import type { ModelFolder } from "../services/ModelSource.ts"
import { Tokenizer, type TokenizerInstance } from "../services/Tokenizer.ts"
import { tokenizerInstance } from "./tokenizerInstance.ts"

/** The library's type files name each other without endings, which NodeNext does not resolve: what we use of it, typed here. */
const { SplitPreTokenizer } = tokenizers as unknown as {
  readonly SplitPreTokenizer: new (rule: {
    readonly type: "Split"
    readonly pattern: { readonly Regex: string }
    readonly behavior: "Isolated"
    readonly invert: boolean
  }) => { readonly pattern: RegExp | null }
}

/** The library's translation from Rust's (Oniguruma's) regex syntax to JavaScript's. */
export const compileRegex: CompileRegex = (pattern) => {
  const { pattern: compiled } = new SplitPreTokenizer({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false
  })
  if (compiled === null) throw new Error("the pattern is empty")
  return compiled
}

/** Reads tokenizer.json, or vocab.json and merges.txt, or vocab.txt, with tokenizer_config.json beside them. */
export const load = (
  folder: ModelFolder,
  mode: "auto" | "slow" = "auto"
): Effect.Effect<TokenizerInstance, CheckpointInvalid> =>
  Effect.gen(function* () {
    const definition = yield* definitionIn(folder, mode)
    const instance = yield* Effect.try({
      try: () => tokenizerInstance(makeTokenizer(definition, compileRegex)),
      catch: (fault) => invalid(folder, `The tokenizer: ${reason(fault)}.`)
    })
    const eos = yield* eosToken(folder)
    return eos === undefined ? instance : { ...instance, eosTokenId: instance.tokenId(eos) }
  })

/** The end of a text as tokenizer_config.json, or in old checkpoints special_tokens_map.json, spells it. */
const eosToken = Effect.fnUntraced(function* (folder: ModelFolder) {
  for (const name of ["tokenizer_config.json", "special_tokens_map.json"]) {
    const given = (yield* readJson(folder, name))?.eos_token
    const text = isRecord(given) ? given.content : given
    if (typeof text === "string") return text
  }
  return undefined
})

export const layer: Layer.Layer<Tokenizer> = Layer.succeed(Tokenizer, { load })

const definitionIn = (
  folder: ModelFolder,
  mode: "auto" | "slow"
): Effect.Effect<TokenizerDefinition, CheckpointInvalid> =>
  Effect.gen(function* () {
    const config = (yield* readJson(folder, "tokenizer_config.json")) ?? {}
    const tokenizer = yield* readJson(folder, "tokenizer.json")
    const legacy = mode === "slow" && (yield* folder.readText("merges.txt")) !== undefined
    if (tokenizer !== undefined && !legacy)
      return yield* build(folder, "tokenizer.json", () => definitionOf(tokenizer, config))
    const vocab = yield* readJson(folder, "vocab.json")
    const merges = yield* folder.readText("merges.txt")
    const specialTokensMap = (yield* readJson(folder, "special_tokens_map.json")) ?? {}
    const words = yield* folder.readText("vocab.txt")
    if (vocab === undefined && words !== undefined)
      return yield* build(folder, "vocab.txt", () => legacyBertDefinition({ vocab: words, config, specialTokensMap }))
    if (vocab === undefined || merges === undefined)
      return yield* invalid(
        folder,
        "There is no tokenizer: looked for tokenizer.json, for vocab.json with merges.txt, and for vocab.txt. Put one of them into the folder, or set skipTokenizerInit and give token ids."
      )
    const addedTokens = (yield* readJson(folder, "added_tokens.json")) ?? {}
    const files = { vocab, merges, config, specialTokensMap, addedTokens }
    return yield* build(folder, "vocab.json", () => legacyDefinition(files))
  })

const build = <A>(folder: ModelFolder, file: string, make: () => A): Effect.Effect<A, CheckpointInvalid> =>
  Effect.try({ try: make, catch: (fault) => invalid(folder, `${file}: ${reason(fault)}.`) })

/** A JSON object of the folder; undefined when the file is absent. */
export const readJson = (folder: ModelFolder, name: string): Effect.Effect<Rule | undefined, CheckpointInvalid> =>
  Effect.flatMap(folder.readText(name), (text) => {
    if (text === undefined) return Effect.succeed(undefined)
    return Effect.flatMap(
      Effect.try({
        try: (): unknown => JSON.parse(text),
        catch: (fault) => invalid(folder, `${name} is not JSON: ${reason(fault)}. Fetch it again.`)
      }),
      (value) =>
        isRecord(value)
          ? Effect.succeed(value)
          : Effect.fail(invalid(folder, `${name} holds ${text.slice(0, 40)}, not a JSON object. Fetch it again.`))
    )
  })

const invalid = (folder: ModelFolder, problem: string) =>
  new CheckpointInvalid({ model: folder.path, problems: [problem] })

const reason = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault))
