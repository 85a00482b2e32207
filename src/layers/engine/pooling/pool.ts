import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { InvalidRequest, type PoolError } from "../../../domain/errors.ts"
import { decodePooling } from "../../../domain/pooling/poolingParams.ts"
import type { ResolvedPooling } from "../../../domain/pooling/resolvePooling.ts"
import { cosine, maxSim } from "../../../domain/pooling/similarity.ts"
import { PoolRequest } from "../../../domain/request/generateRequest.ts"
import type { PoolingOutput } from "../../../domain/request/outputs.ts"
import { makePoolSequence } from "../../../domain/request/poolSequence.ts"
import type { EngineService } from "../../../services/Engine.ts"
import { decodeRequest, refuseLora } from "../admission.ts"
import { makeGate } from "../gate.ts"
import type { Life } from "../life.ts"
import type { PoolerParts } from "../parts.ts"
import { type PoolPrompt, poolPrompt } from "./poolPrompt.ts"
import type { PoolEnd, PoolTable } from "./poolTable.ts"

const needsPair = new InvalidRequest({
  field: "pair",
  given: "nothing",
  expected: "two texts: this model embeds each by itself, and their similarity is the score",
  mend: "Give pair, or ask for embeddings."
})

interface Prepared {
  readonly requestId: string | undefined
  readonly prompt: PoolPrompt
  readonly pooling: ResolvedPooling
}

const output = (
  requestId: string,
  { prompt, pooling }: Prepared,
  end: PoolEnd
): Effect.Effect<PoolingOutput, PoolError> => {
  if (end === "aborted") return Effect.interrupt
  if ("_tag" in end) return end
  return Effect.succeed({ requestId, promptTokenIds: prompt.ids, data: pooling.finish(end) })
}

/** The score of two texts that were embedded each by itself. */
const compare = (a: PoolingOutput, b: PoolingOutput): number =>
  typeof a.data[0] === "number"
    ? cosine(a.data as ReadonlyArray<number>, b.data as ReadonlyArray<number>)
    : maxSim(a.data as ReadonlyArray<ReadonlyArray<number>>, b.data as ReadonlyArray<ReadonlyArray<number>>)

/** Similarity as a score's output. */
export const similarity = (a: PoolingOutput, b: PoolingOutput): PoolingOutput => ({
  requestId: `${a.requestId}_${b.requestId}`,
  promptTokenIds: [...a.promptTokenIds, ...b.promptTokenIds],
  data: [compare(a, b)]
})

/** One text after another through the table. Interrupted, a text gives its blocks back within one step. */
export const makePool = (parts: PoolerParts, table: PoolTable, life: Life): EngineService["pool"] => {
  const { pooler, served, tokenizer, scheduler, options } = parts
  let sequences = 0
  const enter = makeGate({
    prefix: "pool",
    refusal: life.refusal,
    isTaken: (requestId) => table.has(requestId),
    queued: () => scheduler.counts().waiting,
    maxQueuedRequests: options.maxQueuedRequests
  })

  const prepare = Effect.fnUntraced(function* (request: PoolRequest) {
    const { task, params = {}, requestId, lora } = request
    if (lora !== undefined) return yield* refuseLora()
    const pooling = yield* pooler.resolve(task, params)
    // A text may be long: whoever interrupts is heard before and after it is tokenised, and nothing has been taken yet.
    yield* Effect.yieldNow()
    const prompt = poolPrompt(request, params, { served, spec: pooler.spec, tokenizer })
    if ("_tag" in prompt) return yield* prompt
    return { requestId, prompt, pooling }
  })

  /** Admission is one synchronous insert. */
  const run = (prepared: Prepared): Effect.Effect<PoolingOutput, PoolError> =>
    Effect.async((resume) => {
      const { prompt, pooling } = prepared
      const entered = enter(prepared.requestId)
      if (Either.isLeft(entered)) return resume(entered.left)
      const requestId = entered.right
      const target = pooling.target(prompt.ids, prompt.typeIds)
      const sequence = makePoolSequence({ id: sequences++, requestId, tokens: prompt.ids, target })
      const entry = table.add(sequence, (end) => resume(output(requestId, prepared, end)))
      return Effect.sync(() => table.drop(entry))
    })

  const one = (request: PoolRequest) => Effect.flatMap(prepare(request), run)

  /** Both texts by themselves, at once. */
  const both = ({ pair, requestId, params, prompt }: PoolRequest): Effect.Effect<PoolingOutput, PoolError> => {
    if (pair === undefined || prompt !== undefined) return needsPair
    const side = (at: 0 | 1) =>
      one({ task: "encode", prompt: pair[at], params, ...(requestId && { requestId: `${requestId}/${at + 1}` }) })
    return Effect.map(Effect.all([side(0), side(1)], { concurrency: 2 }), ([a, b]) => ({
      ...similarity(a, b),
      ...(requestId && { requestId })
    }))
  }

  return (given) =>
    Effect.gen(function* () {
      const refused = life.refusal()
      if (refused !== undefined) return yield* refused
      // First the parameters by themselves: what is wrong in them is then named as their user knows it.
      yield* decodePooling(given?.params ?? {})
      const request = yield* decodeRequest(PoolRequest, given)
      const { scoring } = pooler.spec
      const apart = request.task === "score" && scoring !== undefined && scoring !== "crossEncoder"
      return yield* apart ? both(request) : one(request)
    })
}
