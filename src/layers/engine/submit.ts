import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type AdmissionError, InvalidRequest, QueueFull } from "../../domain/errors.ts"
import { emptyBlockTable } from "../../domain/kv/blockTable.ts"
import { makeAssembler } from "../../domain/request/assemble.ts"
import { GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { Sequence } from "../../domain/request/sequence.ts"
import type { ResolvedSampling } from "../../domain/sampling/resolveSampling.ts"
import type { EngineService } from "../../services/Engine.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"
import { checkPrompt, decodeRequest, promptIds } from "./admission.ts"
import { Outbox, type Pull } from "./outbox.ts"
import type { EngineParts } from "./parts.ts"
import type { Output, Request, RequestTable } from "./requestTable.ts"
import type { Waker } from "./waker.ts"

export interface Admission {
  readonly table: RequestTable
  readonly now: () => number
  readonly wake: Waker<Pull>["wake"]
  /** Why the engine takes no more work; undefined while it does. */
  readonly refusal: () => AdmissionError | undefined
}

/** A request that has been decoded, tokenised and checked, with nothing taken for it yet. */
interface Prepared {
  readonly request: GenerateRequest
  readonly promptTokenIds: ReadonlyArray<number>
  readonly sampling: ResolvedSampling
}

const refusedLora = new InvalidRequest({
  field: "lora",
  given: "an adapter",
  expected: "nothing",
  mend: "This build does not serve adapters yet: leave it out."
})

const idsOf = (tokenizer: TokenizerInstance, tokens: ReadonlyArray<string> = []): ReadonlySet<number> =>
  new Set(tokens.map((token) => tokenizer.tokenId(token)).filter((id) => id !== undefined))

const textSource = (tokenizer: TokenizerInstance | undefined, { request, promptTokenIds, sampling }: Prepared) =>
  tokenizer === undefined || !sampling.detokenize
    ? undefined
    : tokenizer.detokenizer({
        promptTokenIds,
        skipSpecialTokens: sampling.skipSpecialTokens,
        keepSpecialIds: idsOf(tokenizer, request.keepSpecialTokens),
        spacesBetweenSpecialTokens: sampling.spacesBetweenSpecialTokens
      })

/** Output sequences of a request: `n` is no parameter that this build serves. */
const replies = 1

/** Output `index` draws with seed + index; the first alone answers for the prompt. */
const makeSequence = (id: number, requestId: string, index: number, prepared: Prepared): Sequence => {
  const { request, promptTokenIds, sampling } = prepared
  const { draw, limits } = sampling
  const seed = BigInt.asUintN(64, draw.seed + BigInt(index))
  return {
    id,
    requestId,
    priority: request.priority ?? 0,
    promptLength: promptTokenIds.length,
    tokens: [...promptTokenIds],
    draw: { ...draw, seed, promptLogprobs: index === 0 ? draw.promptLogprobs : -1 },
    limits,
    cacheSalt: request.cacheSalt,
    waitsForTokens: false,
    chooses: false,
    computed: 0,
    pending: 0,
    cached: 0,
    status: "waiting",
    blocks: emptyBlockTable()
  }
}

const makeRequest = (
  requestId: string,
  prepared: Prepared,
  parts: EngineParts,
  { table, now, wake }: Admission,
  nextSequence: () => number
): Request => {
  const { request, sampling } = prepared
  const outputs: Array<Output> = []
  const arrivalTime = now()
  const made: Request = {
    requestId,
    outputs,
    outbox: new Outbox({
      requestId,
      indices: replies,
      kind: sampling.outputKind,
      highWater: parts.options.streamBuffer * replies,
      interval: parts.options.streamInterval,
      onFull: () => table.park(made),
      onDrained: () => table.resume(made),
      wake
    }),
    includeStopToken: sampling.includeStopStrInOutput,
    arrivalTime,
    deadline:
      request.deadline === undefined ? Number.POSITIVE_INFINITY : arrivalTime + Duration.toMillis(request.deadline),
    promptLogprobs: sampling.draw.promptLogprobs < 0 ? undefined : [null],
    parkedAt: Number.POSITIVE_INFINITY,
    firstTokenTime: null,
    running: replies
  }
  for (let index = 0; index < replies; index++) {
    const assembler = makeAssembler({ source: textSource(parts.tokenizer, prepared), ...sampling })
    outputs.push({
      request: made,
      index,
      sequence: makeSequence(nextSequence(), requestId, index, prepared),
      assembler,
      ended: false
    })
  }
  return made
}

export const makeSubmit = (parts: EngineParts, admission: Admission): EngineService["submit"] => {
  const { table, refusal } = admission
  let sequences = 0
  let requests = 0
  let arrivals = 0

  const prepare = Effect.fnUntraced(function* (given: GenerateRequest) {
    // First the parameters by themselves: what is wrong in them is then named as their user knows it.
    const sampling = yield* parts.sampler.resolve(given?.params, arrivals++)
    const request = yield* decodeRequest(GenerateRequest, given)
    if (request.lora !== undefined) return yield* refusedLora
    // A text may be long: whoever interrupts is heard before and after it is tokenised, and nothing has been taken yet.
    yield* Effect.yieldNow()
    const promptTokenIds = yield* promptIds(request, parts.tokenizer)
    yield* Effect.yieldNow()
    const problem = checkPrompt(promptTokenIds, parts.served)
    if (problem !== undefined) return yield* problem
    return { request, promptTokenIds, sampling }
  })

  const freshId = () => {
    let id = `request-${requests++}`
    while (table.get(id) !== undefined) id = `request-${requests++}`
    return id
  }

  /** The one synchronous insert. */
  const admit = (prepared: Prepared): Effect.Effect<Request, AdmissionError> =>
    Effect.suspend((): Effect.Effect<Request, AdmissionError> => {
      const refused = refusal()
      if (refused !== undefined) return refused
      const requestId = prepared.request.requestId ?? freshId()
      if (table.get(requestId) !== undefined)
        return new InvalidRequest({
          field: "requestId",
          given: JSON.stringify(requestId),
          expected: "an id that no request in flight has",
          mend: "Choose another, or leave it out."
        })
      const { maxQueuedRequests } = parts.options
      if (parts.scheduler.counts().waiting >= maxQueuedRequests) return new QueueFull({ maxQueuedRequests })
      const request = makeRequest(requestId, prepared, parts, admission, () => sequences++)
      table.add(request)
      return Effect.succeed(request)
    })

  return (given) =>
    Effect.gen(function* () {
      const refused = refusal()
      if (refused !== undefined) return yield* refused
      const prepared = yield* prepare(given)
      const request = yield* Effect.acquireRelease(admit(prepared), (taken) => Effect.sync(() => table.drop(taken)))
      return {
        requestId: request.requestId,
        promptTokenIds: prepared.promptTokenIds,
        deltas: Stream.fromPull(Effect.succeed(request.outbox.pull))
      }
    })
}
