import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { CheckpointInvalid, type StartError } from "../../../domain/errors.ts"
import type { PoolerFacts } from "../../../domain/model/poolerFacts.ts"
import { familyStepToken, poolerSpec } from "../../../domain/pooling/poolerSpec.ts"
import type { ServedModel } from "../../../services/Engine.ts"
import { Pooler } from "../../../services/Pooler.ts"
import type { CommonParts, PreparedParts } from "../parts.ts"
import { servePooler } from "./servePooler.ts"

/** What is wrong with the pooler's settings is said before any weight is read. */
const settle = Effect.fnUntraced(function* (
  { options, folder, opened, model, tokenizer }: PreparedParts,
  facts: PoolerFacts
) {
  const step = familyStepToken(model.facts.architecture)
  const { modules, encoder } = opened
  const spec = poolerSpec({
    config: folder.config,
    options,
    facts,
    encoder,
    ...(modules === undefined ? {} : { modules }),
    ...(step === undefined ? {} : { familyStepTag: (yield* tokenizer)?.tokenId(step) })
  })
  if ("problem" in spec) return yield* new CheckpointInvalid({ model: options.model, problems: [spec.problem] })
  if ("_tag" in spec) return yield* spec
  return (yield* Pooler).make(spec)
})

/** An engine over a model that pools. */
export const makePooler = <R>(
  prepared: PreparedParts,
  facts: PoolerFacts,
  load: (prepared: PreparedParts) => Effect.Effect<CommonParts, StartError, R | Scope.Scope>
) =>
  Effect.gen(function* () {
    const pooler = yield* settle(prepared, facts)
    const common = yield* load(prepared)
    const { tasks, scoring, labels } = pooler.spec
    const served: ServedModel = {
      ...common.served,
      tasks,
      ...(scoring === undefined ? {} : { scoring }),
      ...(labels === undefined ? {} : { labels })
    }
    const widths = { pooled: facts.pooledWidth, each: facts.eachWidth }
    return yield* servePooler({ ...common, served, pooler, widths })
  })
