import type { EngineOptions } from "../config/engineOptions.ts"
import { InvalidOptions } from "../errors.ts"
import type { PoolerFacts } from "../model/poolerFacts.ts"
import { givesEach, isEmbedding } from "./kinds.ts"

const refused = (field: string, given: unknown, expected: string, mend = "Leave it out.") =>
  new InvalidOptions({ field: `overridePoolerConfig.${field}`, given: String(given), expected, mend })

/** Pooler settings that would change nothing, or could not be obeyed. */
const configFault = (options: EngineOptions, facts: PoolerFacts): InvalidOptions | undefined => {
  const { normalize, activation, stepTagId, returnedTokenIds } = options.overridePoolerConfig ?? {}
  const { task, pooling, pooledWidth, eachWidth } = facts
  const embeds = isEmbedding(task)
  const width = givesEach(pooling) ? eachWidth : pooledWidth
  const column = returnedTokenIds?.find((id) => id >= width)
  if (normalize === true && !embeds)
    return refused("normalize", true, "nothing: this model gives labels, not embeddings")
  if (activation === true && embeds)
    return refused("activation", true, "nothing: this model gives embeddings, not labels")
  if (stepTagId !== undefined && pooling !== "STEP")
    return refused(
      "stepTagId",
      stepTagId,
      `nothing: this model pools by ${pooling}`,
      'Leave it out, or give poolingType "STEP" too.'
    )
  if (column !== undefined)
    return refused("returnedTokenIds", column, `columns below ${width}, the width of this model's rows`)
  return undefined
}

const taskFault = (options: EngineOptions, facts: PoolerFacts): InvalidOptions | undefined => {
  const wanted = options.task ?? "auto"
  const { task: kind, pooling } = facts
  const fits = {
    auto: true,
    generate: false,
    embed: isEmbedding(kind),
    classify: kind === "classify" || kind === "tokenClassify",
    score: kind !== "reward",
    reward: kind === "reward" || (kind === "embed" && givesEach(pooling))
  }
  if (fits[wanted]) return undefined
  return new InvalidOptions({
    field: "task",
    given: JSON.stringify(wanted),
    expected: `what this model is for (${kind})`,
    mend: "Leave it out: the architecture says it."
  })
}

/** Why a model's pooler cannot be what the engine's options ask for. */
export const poolerFault = (options: EngineOptions, facts: PoolerFacts): InvalidOptions | undefined =>
  taskFault(options, facts) ?? configFault(options, facts)
