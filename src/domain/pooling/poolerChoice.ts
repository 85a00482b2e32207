import type { EngineOptions } from "../config/engineOptions.ts"
import { InvalidOptions } from "../errors.ts"
import type { PoolerChoice } from "./choice.ts"
import type { SentenceTransformers } from "./sentenceTransformers.ts"

type Json = Readonly<Record<string, unknown>>

/** What is known of a checkpoint before it is compiled. */
export interface PoolerSources {
  readonly config: Json
  readonly options: EngineOptions
  /** Absent: there is no modules.json. */
  readonly modules?: SentenceTransformers
  /** Ids of the tokens whose head rows classify; absent: config.json names none. */
  readonly classifierTokens?: ReadonlyArray<number>
}

const architectureNames = ({ architectures }: Json): ReadonlyArray<string> =>
  Array.isArray(architectures) ? architectures.map(String) : []

/** Whether config.json names a model that continues text. */
export const isGenerative = (config: Json): boolean =>
  architectureNames(config).some((name) => /(ForCausalLM|LMHeadModel|ForConditionalGeneration)$/.test(name))

const classifies = (config: Json): boolean =>
  architectureNames(config).some((name) => /(Classification|RewardModel)$/.test(name))

/** Texts or ids of `classifier_from_token`. */
export const classifierTokenNames = ({
  classifier_from_token: tokens
}: Json): ReadonlyArray<string | number> | undefined =>
  Array.isArray(tokens) && tokens.length > 0
    ? tokens.map((token: unknown) => (typeof token === "number" ? token : String(token)))
    : undefined

const conversionOf = ({ config, options, modules, classifierTokens }: PoolerSources): PoolerChoice["convert"] => {
  if (!isGenerative(config)) return undefined
  switch (options.task ?? "auto") {
    case "generate":
      return undefined
    case "embed":
    case "reward":
      return "embed"
    case "classify":
    case "score":
      return modules !== undefined && options.task === "score" ? "embed" : "classify"
    case "auto":
      if (classifierTokens !== undefined) return "classify"
      // Pooler settings mean nothing to a model that generates: whoever gives them wants embeddings.
      return modules !== undefined || options.overridePoolerConfig !== undefined ? "embed" : undefined
  }
}

/**
 * What compiling must know of a model's pooler: overridePoolerConfig over modules.json; what is left open is the
 * architecture's to say. A checkpoint that generates becomes a pooler when the task, modules.json, pooler settings or
 * classifier_from_token say so.
 */
export const poolerChoice = (sources: PoolerSources): PoolerChoice => {
  const { config, options, modules, classifierTokens } = sources
  const convert = conversionOf(sources)
  const embeds = convert === "embed" || (convert === undefined && !isGenerative(config) && !classifies(config))
  // vLLM's reward models without a head of their own give every token's hidden state.
  const hiddenRewards = options.task === "reward" && embeds
  const pooling =
    options.overridePoolerConfig?.poolingType ?? (hiddenRewards ? "ALL" : embeds ? modules?.pooling : undefined)
  return {
    ...(convert === undefined ? {} : { convert }),
    ...(pooling === undefined ? {} : { pooling }),
    ...(embeds && !hiddenRewards && modules !== undefined ? { dense: modules.dense } : {}),
    ...(classifierTokens === undefined ? {} : { classifierTokens })
  }
}

/** Pooler settings given to a model that does not pool. */
export const refusePoolerConfig = (architecture: string): InvalidOptions =>
  new InvalidOptions({
    field: "overridePoolerConfig",
    given: "pooler settings",
    expected: `nothing: ${architecture} generates text`,
    mend: 'Leave it out, or give task "embed" or "classify".'
  })
