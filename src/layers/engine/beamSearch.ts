import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RunError } from "../../domain/errors.ts"
import { emptyBlockTable } from "../../domain/kv/blockTable.ts"
import { BeamSearchRequest } from "../../domain/request/generateRequest.ts"
import type { BeamSearchOutput } from "../../domain/request/outputs.ts"
import type { DrawParams, Sequence } from "../../domain/request/sequence.ts"
import type { EndedBeam } from "../../domain/sampling/beam.ts"
import { decodeBeamSearch, type ResolvedBeamSearch, resolveBeamSearch } from "../../domain/sampling/beamParams.ts"
import type { EngineService } from "../../services/Engine.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"
import { checkPrompt, checkReplies, checkServed, decodeRequest, promptIds } from "./admission.ts"
import type { Admission, Admit } from "./admit.ts"
import { BeamRequest } from "./beamRequest.ts"
import type { EngineParts } from "./parts.ts"

interface Prepared {
  readonly request: BeamSearchRequest
  readonly prompt: ReadonlyArray<number>
  readonly params: ResolvedBeamSearch
  /** Of a beam's rows, but for the seed, which each beam has its own of. */
  readonly draw: DrawParams
  readonly eosTokenIds: ReadonlySet<number>
}

const prepare = Effect.fnUntraced(function* (given: BeamSearchRequest, parts: EngineParts, arrival: number) {
  const { served, sampler, tokenizer } = parts
  const params = resolveBeamSearch(yield* decodeBeamSearch(given?.params ?? {}))
  const request = yield* decodeRequest(BeamSearchRequest, given)
  const unserved = checkServed(request, parts.options.scheduler.policy)
  if (unserved !== undefined) return yield* unserved
  const prompt = yield* promptIds(request, tokenizer)
  yield* Effect.yieldNow()
  const problem = checkPrompt(prompt, served) ?? checkReplies("beamWidth", params.beamWidth, prompt.length, served)
  if (problem !== undefined) return yield* problem
  // A checkpoint's sampling defaults are no part of a beam search: only its end-of-sequence ids are.
  const { draw, limits } = yield* sampler.resolve({ temperature: params.temperature }, arrival)
  const { temperature, seed } = draw
  const logprobs = Math.min(2 * params.beamWidth, served.vocabSize)
  return {
    request,
    prompt,
    params,
    draw: { temperature, seed, topK: 0, topP: 1, minP: 0, logprobs, promptLogprobs: -1 },
    eosTokenIds: limits.eosTokenIds
  } satisfies Prepared
})

/** A sequence that its request steers: it never ends by itself. */
const makeSequence =
  (requestId: string, { request, prompt, draw }: Prepared, maxTokens: number, firstId: number) =>
  (id: number, tokens: ReadonlyArray<number>): Sequence => ({
    id,
    requestId,
    priority: request.priority ?? 0,
    promptLength: prompt.length,
    tokens: [...tokens],
    draw: { ...draw, seed: BigInt.asUintN(64, draw.seed + BigInt(id - firstId)) },
    limits: { maxTokens, eosTokenIds: new Set(), stopTokenIds: new Set(), ignoreEos: true },
    cacheSalt: request.cacheSalt,
    waitsForTokens: true,
    chooses: true,
    computed: 0,
    pending: 0,
    cached: 0,
    status: "waiting",
    blocks: emptyBlockTable()
  })

/** The output's text; the token that ended it counts where the request says so, special as it may be. */
const textOf = (
  tokenizer: TokenizerInstance,
  { tokens, finishReason }: EndedBeam,
  { includeStopStrInOutput }: ResolvedBeamSearch
) => {
  if (finishReason !== "stop") return tokenizer.decode(tokens)
  const end = includeStopStrInOutput ? tokenizer.decode(tokens.slice(-1), { skipSpecialTokens: false }) : ""
  return tokenizer.decode(tokens.slice(0, -1)) + end
}

const sequencesOf = (
  beams: ReadonlyArray<EndedBeam>,
  { prompt, params }: Prepared,
  tokenizer: EngineParts["tokenizer"]
): BeamSearchOutput["sequences"] =>
  beams.map((beam) => ({
    tokenIds: [...prompt, ...beam.tokens],
    outputTokenIds: beam.tokens,
    text: tokenizer === undefined ? "" : textOf(tokenizer, beam, params),
    cumulativeLogprob: beam.cumulativeLogprob,
    score: beam.score,
    finishReason: beam.finishReason
  }))

export const makeBeamSearch = (
  parts: EngineParts,
  { table, now, refusal, nextSequence, nextArrival }: Admission,
  admit: Admit
): EngineService["beamSearch"] => {
  const newRequest = (
    requestId: string,
    prepared: Prepared,
    done: (result: ReadonlyArray<EndedBeam> | RunError) => void
  ) => {
    const { request, prompt, params, eosTokenIds } = prepared
    const { beamWidth: width, lengthPenalty, ignoreEos } = params
    const maxTokens = Math.min(params.maxTokens, parts.served.maxModelLen - prompt.length)
    const ids = Array.from({ length: width }, nextSequence)
    return new BeamRequest(
      {
        requestId,
        deadline:
          request.deadline === undefined ? Number.POSITIVE_INFINITY : now() + Duration.toMillis(request.deadline),
        rules: { width, promptLength: prompt.length, lengthPenalty, eosTokenIds, ignoreEos },
        maxTokens,
        ids,
        makeSequence: makeSequence(requestId, prepared, maxTokens, ids[0]!),
        table,
        done
      },
      prompt
    )
  }

  return (given) =>
    Effect.scoped(
      Effect.gen(function* () {
        const refused = refusal()
        if (refused !== undefined) return yield* refused
        const prepared = yield* prepare(given, parts, nextArrival())
        const result = yield* Deferred.make<ReadonlyArray<EndedBeam>, RunError>()
        const done = (beams: ReadonlyArray<EndedBeam> | RunError) =>
          Deferred.unsafeDone(result, "_tag" in beams ? Effect.fail(beams) : Effect.succeed(beams))
        const admitted = admit(prepared.request.requestId, (id) => newRequest(id, prepared, done))
        const { requestId } = yield* Effect.acquireRelease(admitted, (taken) => Effect.sync(() => table.drop(taken)))
        return { requestId, sequences: sequencesOf(yield* Deferred.await(result), prepared, parts.tokenizer) }
      })
    )
}
