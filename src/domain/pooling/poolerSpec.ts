import type { EngineOptions } from "../config/engineOptions.ts"
import type { InvalidOptions } from "../errors.ts"
import type { PoolTask } from "../graph/graph.ts"
import type { PoolerFacts } from "../model/poolerFacts.ts"
import { classifierActivation } from "./classifierActivation.ts"
import type { ClassifierActivation } from "./finish.ts"
import { givesEach, isEmbedding } from "./kinds.ts"
import { type Matryoshka, readMatryoshka } from "./matryoshka.ts"
import { poolerFault } from "./poolerFault.ts"
import type { EncoderSettings, SentenceTransformers } from "./sentenceTransformers.ts"
import type { Pooling } from "./target.ts"

/** What a request may ask of a pooling model. */
export const poolTasks = ["encode", "embed", "classify", "score", "reward"] as const
export type PoolTaskName = (typeof poolTasks)[number]

/** How two texts are compared. */
export type Scoring = "crossEncoder" | "biEncoder" | "lateInteraction"

/** All that is settled of a model's pooler when the engine starts; a request may change some of it for itself. */
export interface PoolerSpec {
  readonly kind: PoolTask
  readonly pooling: Pooling
  /** Numbers of a raw row of the head in use. */
  readonly width: number
  readonly tasks: ReadonlyArray<PoolTaskName>
  /** Absent: the model cannot score. */
  readonly scoring?: Scoring
  readonly twoWay: boolean
  readonly activation: ClassifierActivation
  /** Whether the activation is applied when a request does not say. */
  readonly activates: boolean
  readonly normalize: boolean
  readonly stepTagId?: number
  readonly returnedTokenIds?: ReadonlyArray<number>
  readonly matryoshka: Matryoshka
  readonly encoder: EncoderSettings
  /** Names of a classifier's columns; absent: config.json names none. */
  readonly labels?: ReadonlyArray<string>
}

export interface SpecSources {
  readonly config: Readonly<Record<string, unknown>>
  readonly options: EngineOptions
  readonly facts: PoolerFacts
  readonly modules?: SentenceTransformers
  readonly encoder: EncoderSettings
  /** The id of the family's own step token, where the tokenizer has it. */
  readonly familyStepTag?: number | undefined
}

const tasksOf = (
  kind: PoolTask,
  each: boolean,
  labels: number,
  task: EngineOptions["task"]
): ReadonlyArray<PoolTaskName> => {
  switch (kind) {
    case "embed":
      return !each ? ["encode", "embed", "score"] : task === "reward" ? ["encode", "reward"] : ["encode"]
    case "tokenEmbed":
      return each ? ["encode", "score"] : ["encode", "embed", "score"]
    case "classify":
      return each ? ["encode"] : labels === 1 ? ["encode", "classify", "score"] : ["encode", "classify"]
    case "tokenClassify":
      return each ? ["encode"] : ["encode", "classify"]
    case "reward":
      return ["encode", "reward"]
  }
}

/** `id2label`, where it has a name for every column. */
const labelsOf = (
  { id2label }: Readonly<Record<string, unknown>>,
  count: number
): ReadonlyArray<string> | undefined => {
  if (typeof id2label !== "object" || id2label === null) return undefined
  const names = Array.from({ length: count }, (_, id) => (id2label as Readonly<Record<string, unknown>>)[String(id)])
  return names.every((name) => typeof name === "string") ? (names as ReadonlyArray<string>) : undefined
}

const scoringOf = (kind: PoolTask, tasks: ReadonlyArray<PoolTaskName>, each: boolean): Scoring | undefined =>
  !tasks.includes("score") ? undefined : kind === "classify" ? "crossEncoder" : each ? "lateInteraction" : "biEncoder"

/** vLLM's two spellings for a head of "no" and "yes" that gives one logit. */
const isTwoWay = ({ is_original_qwen3_reranker: original, method }: Readonly<Record<string, unknown>>): boolean =>
  original === true || method === "from_2_way_softmax"

const activationOf = ({ config, facts }: SpecSources, labels: number) => {
  if (isEmbedding(facts.task)) return "identity"
  if (facts.task === "reward") return labels === 1 ? "identity" : "softmax"
  return classifierActivation(config, labels)
}

/** Qwen2.5-Math-PRM marks the end of each step by this token. */
export const familyStepToken = (architecture: string): string | undefined =>
  architecture.endsWith("ForProcessRewardModel") ? "<extra_0>" : undefined

/** Settles a model's pooler: overridePoolerConfig over Sentence Transformers' files, over the model's own, over the table. */
export const poolerSpec = (sources: SpecSources): PoolerSpec | InvalidOptions | { readonly problem: string } => {
  const { config, options, facts, modules, encoder } = sources
  const { task: kind, pooling } = facts
  const fault = poolerFault(options, facts)
  if (fault !== undefined) return fault
  const given = options.overridePoolerConfig ?? {}
  const each = givesEach(pooling)
  const width = each ? facts.eachWidth : facts.pooledWidth
  const twoWay = kind === "classify" && width === 2 && isTwoWay(config)
  const labels = twoWay ? 1 : width
  const activation = activationOf(sources, labels)
  if (typeof activation !== "string") return activation
  const tasks = tasksOf(kind, each, labels, options.task)
  const scoring = scoringOf(kind, tasks, each)
  const stepTagId = given.stepTagId ?? sources.familyStepTag
  const names = isEmbedding(kind) ? undefined : labelsOf(config, labels)
  const hiddenRewards = kind === "embed" && options.task === "reward"
  return {
    kind,
    pooling,
    width,
    tasks,
    ...(scoring === undefined ? {} : { scoring }),
    twoWay,
    activation,
    activates: given.activation ?? true,
    normalize: isEmbedding(kind) && (given.normalize ?? (hiddenRewards ? false : (modules?.normalize ?? true))),
    ...(stepTagId === undefined ? {} : { stepTagId }),
    ...(given.returnedTokenIds === undefined ? {} : { returnedTokenIds: given.returnedTokenIds }),
    matryoshka: readMatryoshka(config),
    encoder,
    ...(names === undefined ? {} : { labels: names })
  }
}
