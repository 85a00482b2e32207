import * as Effect from "effect/Effect"
import { InvalidRequest, type PoolError } from "../../../domain/errors.ts"
import type { PoolingInput } from "../../../domain/pooling/poolingParams.ts"
import type { PoolRequest } from "../../../domain/request/generateRequest.ts"
import type {
  ClassificationRequestOutput,
  EmbeddingRequestOutput,
  PoolingOutput,
  PoolingRequestOutput,
  ScoringRequestOutput
} from "../../../domain/request/outputs.ts"
import { Engine, type EngineService } from "../../../services/Engine.ts"
import { similarity } from "./pool.ts"

type Row = ReadonlyArray<number>
type Untasked = Omit<PoolRequest, "task">
type Pooled<Output> = Effect.Effect<Output, PoolError, Engine>

const pooled =
  <Outputs>(task: PoolRequest["task"], outputs: (data: PoolingOutput["data"]) => Outputs) =>
  (request: Untasked) =>
    Effect.map(
      Effect.flatMap(Engine, (engine) => engine.pool({ ...request, task })),
      ({ requestId, promptTokenIds, data }) => ({ requestId, outputs: outputs(data), promptTokenIds, finished: true })
    )

/** What the model's pooler gives: a row, or a row for every token. */
export const encode: (request: Untasked) => Pooled<PoolingRequestOutput> = pooled("encode", (data) => ({ data }))
/** The same of a reward model. */
export const reward: (request: Untasked) => Pooled<PoolingRequestOutput> = pooled("reward", (data) => ({ data }))
export const embed: (request: Untasked) => Pooled<EmbeddingRequestOutput> = pooled("embed", (data) => ({
  embedding: data as Row
}))
export const classify: (request: Untasked) => Pooled<ClassificationRequestOutput> = pooled("classify", (data) => ({
  probs: data as Row
}))

/** Two lists of texts to be compared: 1:1, 1:N or N:N. */
export interface ScoreRequest {
  readonly texts1: string | ReadonlyArray<string>
  readonly texts2: string | ReadonlyArray<string>
  readonly params?: PoolingInput
  readonly lora?: unknown
  /** Makes a prompt of both texts, as messages of the roles `query` and `document`. */
  readonly chatTemplate?: string
}

const list = (texts: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof texts === "string" ? [texts] : texts

const lengths = (given: string) =>
  new InvalidRequest({
    field: "texts2",
    given,
    expected: "one text against one or many, or two lists of the same length, none of them empty",
    mend: "Give 1:1, 1:N or N:N texts."
  })

/** The pairs in order. */
const pairs = ({ texts1, texts2 }: ScoreRequest): ReadonlyArray<readonly [string, string]> | InvalidRequest => {
  const [first, second] = [list(texts1), list(texts2)]
  for (const [field, texts] of [
    ["texts1", first],
    ["texts2", second]
  ] as const) {
    const wrong = Array.isArray(texts) ? texts.findIndex((text) => typeof text !== "string") : 0
    if (wrong >= 0)
      return new InvalidRequest({
        field: `${field}[${wrong}]`,
        given: typeof texts?.[wrong],
        expected: "a text",
        mend: "Give a text, or a list of texts."
      })
  }
  if (first.length === 0 || second.length === 0 || (first.length !== 1 && first.length !== second.length))
    return lengths(`${first.length} against ${second.length}`)
  return second.map((text, at) => [first.length === 1 ? first[0]! : first[at]!, text] as const)
}

const scored = (pooling: Effect.Effect<PoolingOutput, PoolError>) =>
  Effect.map(
    pooling,
    ({ requestId, promptTokenIds, data }): ScoringRequestOutput => ({
      requestId,
      outputs: { score: data[0] as number },
      promptTokenIds,
      finished: true
    })
  )

type Fields = Pick<PoolRequest, "params" | "lora">
type Score = (pair: readonly [string, string]) => Effect.Effect<PoolingOutput, PoolError>

/** Each text is embedded once, however many it is compared with. */
const byEmbedding = (engine: EngineService, fields: Fields) =>
  Effect.map(
    Effect.cachedFunction((prompt: string) => engine.pool({ ...fields, task: "encode", prompt })),
    (embedded): Score =>
      ([a, b]) =>
        Effect.zipWith(embedded(a), embedded(b), similarity, { concurrent: true })
  )

const byTemplate =
  (engine: EngineService, fields: Fields, chatTemplate: string): Score =>
  ([query, document]) => {
    const messages = [
      { role: "query", content: query },
      { role: "document", content: document }
    ]
    return Effect.flatMap(engine.applyChatTemplate(messages, { chatTemplate }), (prompt) =>
      engine.pool({ ...fields, task: "score", prompt })
    )
  }

const misplacedTemplate = new InvalidRequest({
  field: "chatTemplate",
  given: "a template",
  expected: "nothing: this model embeds each text by itself",
  mend: "Leave it out."
})

const scorer = (engine: EngineService, request: ScoreRequest): Effect.Effect<Score, PoolError> => {
  const { scoring } = engine.model
  const { texts1: _first, texts2: _second, chatTemplate, ...fields } = request
  // Where nothing is said of scoring, the engine says why the model cannot.
  if (scoring === "biEncoder" || scoring === "lateInteraction")
    return chatTemplate === undefined ? byEmbedding(engine, fields) : misplacedTemplate
  if (chatTemplate !== undefined) return Effect.succeed(byTemplate(engine, fields, chatTemplate))
  return Effect.succeed(([a, b]) => engine.pool({ ...fields, task: "score", pair: [a, b] }))
}

/** One effect a pair, in their order; each may be run by itself. */
export const scores = (
  request: ScoreRequest
): Effect.Effect<ReadonlyArray<Effect.Effect<ScoringRequestOutput, PoolError>>, PoolError, Engine> =>
  Effect.gen(function* () {
    const engine = yield* Engine
    const all = pairs(request)
    if (all instanceof InvalidRequest) return yield* all
    const score = yield* scorer(engine, request)
    return all.map((pair) => scored(score(pair)))
  })

/** How alike texts are, or how well documents answer a query. */
export const score = (request: ScoreRequest): Effect.Effect<ReadonlyArray<ScoringRequestOutput>, PoolError, Engine> =>
  Effect.flatMap(scores(request), (all) => Effect.all(all, { concurrency: "unbounded" }))
