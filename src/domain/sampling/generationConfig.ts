import * as Either from "effect/Either"
import { nearest } from "../config/nearest.ts"
import { show } from "../config/show.ts"
import type { Problem } from "../config/strict.ts"
import type { SamplingInput } from "./samplingParams.ts"
import { decodeSampling } from "./samplingParams.ts"

type Json = Readonly<Record<string, unknown>>

/** Sampling defaults of one engine: what a request falls back on before the Schema's own defaults. */
export interface GenerationDefaults {
  readonly params: Pick<SamplingInput, DefaultName>
  /** Ids that end a reply, beside those of config.json. */
  readonly eosTokenIds: ReadonlyArray<number>
}

type DefaultName = "temperature" | "topP" | "topK" | "minP" | "repetitionPenalty" | "maxTokens"

/**
 * The entries of generation_config.json that vLLM takes as defaults. `do_sample` is not among them: a checkpoint that
 * says false is still sampled at the temperature it names.
 */
const names: Readonly<Record<string, DefaultName>> = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  min_p: "minP",
  repetition_penalty: "repetitionPenalty",
  max_new_tokens: "maxTokens"
}

export const noDefaults: GenerationDefaults = { params: {}, eosTokenIds: [] }

/** Reads the `generation_config.json` of a checkpoint; left are its faults. Entries that we do not know are passed over. */
export const readGenerationConfig = (json: Json): Either.Either<GenerationDefaults, ReadonlyArray<string>> => {
  const problems: Array<string> = []
  const params: Record<string, unknown> = {}
  for (const [key, name] of Object.entries(names)) {
    if (json[key] === undefined || json[key] === null) continue
    const decoded = decodeSampling({ [name]: json[key] })
    if (Either.isRight(decoded)) params[name] = json[key]
    else problems.push(`generation_config.json: ${key} is ${decoded.left.given}; expected ${decoded.left.expected}`)
  }
  const eos = json.eos_token_id ?? []
  const eosTokenIds: ReadonlyArray<unknown> = Array.isArray(eos) ? eos : [eos]
  if (!eosTokenIds.every((id): id is number => Number.isSafeInteger(id)))
    return Either.left([
      ...problems,
      `generation_config.json: eos_token_id is ${show(json.eos_token_id)}; expected a token id or a list of them`
    ])
  return problems.length > 0 ? Either.left(problems) : Either.right({ params, eosTokenIds })
}

/** What transformers 4 wrote into config.json for want of anything better: no wish of the checkpoint's author. */
const unmeant: Json = { temperature: 1, top_p: 1, top_k: 50, repetition_penalty: 1 }

/**
 * Defaults of a checkpoint without generation_config.json: old ones keep sampling values in config.json, as transformers
 * reads them. What is malformed there is passed over, for config.json speaks of other things.
 */
export const configDefaults = (config: Json): GenerationDefaults => {
  const params: Record<string, unknown> = {}
  for (const [key, name] of Object.entries(names)) {
    const value = config[key] ?? unmeant[key]
    if (value !== unmeant[key] && Either.isRight(decodeSampling({ [name]: value }))) params[name] = value
  }
  return { params, eosTokenIds: [] }
}

/**
 * Defaults of an engine: those of the checkpoint (none of its sampling values when `generationConfig` is "vllm"; its
 * end-of-text ids count even then), under the `overrideGenerationConfig` given by the user, in either spelling.
 */
export const generationDefaults = (
  checkpoint: GenerationDefaults,
  options: { readonly generationConfig?: string | undefined; readonly overrideGenerationConfig?: Json | undefined }
): Either.Either<GenerationDefaults, Problem> => {
  const params: Record<string, unknown> = options.generationConfig === "vllm" ? {} : { ...checkpoint.params }
  for (const [key, value] of Object.entries(options.overrideGenerationConfig ?? {})) {
    const field = `overrideGenerationConfig.${key}`
    const name = names[key] ?? Object.values(names).find((known) => known === key)
    if (name === undefined) return Either.left(unknownDefault(field, key, value))
    const decoded = decodeSampling({ [name]: value })
    if (Either.isLeft(decoded)) {
      const { given, expected } = decoded.left
      return Either.left({ field, given, expected, mend: "Change it, or leave it out." })
    }
    params[name] = value
  }
  return Either.right({ params, eosTokenIds: checkpoint.eosTokenIds })
}

const unknownDefault = (field: string, key: string, value: unknown): Problem => {
  const meant = nearest(key, Object.keys(names))
  return {
    field,
    given: show(value),
    expected: `one of ${Object.keys(names).join(", ")}`,
    mend: meant === undefined ? "Leave it out." : `Did you mean ${meant}?`
  }
}
