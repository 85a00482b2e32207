import * as Duration from "effect/Duration"
import { emptyBlockTable } from "../../domain/kv/blockTable.ts"
import { makeAssembler } from "../../domain/request/assemble.ts"
import type { GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { DrawParams, Sequence } from "../../domain/request/sequence.ts"
import type { ResolvedSampling } from "../../domain/sampling/resolveSampling.ts"
import type { CompiledGrammar } from "../../services/Grammar.ts"
import type { TokenizerInstance } from "../../services/Tokenizer.ts"
import type { Admission } from "./admit.ts"
import { GenerationRequest, type Output } from "./generation.ts"
import { Outbox } from "./outbox.ts"
import type { EngineParts } from "./parts.ts"

/** A request that has been decoded, tokenised and checked, with nothing taken for it yet. */
export interface Prepared {
  readonly request: GenerateRequest
  readonly promptTokenIds: ReadonlyArray<number>
  readonly sampling: ResolvedSampling
  readonly grammar: CompiledGrammar | undefined
}

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

/** Output `index` draws with seed + index; the first alone answers for the prompt. */
const drawOf = ({ draw, candidates, n }: ResolvedSampling, index: number): DrawParams => ({
  ...draw,
  seed: BigInt.asUintN(64, draw.seed + BigInt(index)),
  // The best of many are chosen by their logprobs, shown or not.
  logprobs: candidates > n ? Math.max(0, draw.logprobs) : draw.logprobs,
  promptLogprobs: index === 0 ? draw.promptLogprobs : -1
})

const makeSequence = (id: number, requestId: string, index: number, prepared: Prepared): Sequence => {
  const { request, promptTokenIds, sampling, grammar } = prepared
  return {
    id,
    requestId,
    priority: request.priority ?? 0,
    promptLength: promptTokenIds.length,
    tokens: [...promptTokenIds],
    draw: drawOf(sampling, index),
    limits: sampling.limits,
    cacheSalt: request.cacheSalt,
    waitsForTokens: grammar !== undefined,
    ...(grammar === undefined ? {} : { constraint: grammar.start(sampling.limits) }),
    chooses: false,
    computed: 0,
    pending: 0,
    cached: 0,
    status: "waiting",
    blocks: emptyBlockTable()
  }
}

const makeOutputs = (
  requestId: string,
  prepared: Prepared,
  tokenizer: TokenizerInstance | undefined,
  nextSequence: () => number
): ReadonlyArray<Output> =>
  Array.from({ length: prepared.sampling.candidates }, (_, index) => ({
    index,
    sequence: makeSequence(nextSequence(), requestId, index, prepared),
    assembler: makeAssembler({ source: textSource(tokenizer, prepared), ...prepared.sampling }),
    cumulativeLogprob: 0,
    ended: false
  }))

/** Sequences, assemblers and outbox of a request that is to be admitted now. */
export const newGeneration = (
  requestId: string,
  prepared: Prepared,
  { tokenizer, options }: EngineParts,
  { table, now, wake, nextSequence }: Admission
): GenerationRequest => {
  const { request, sampling } = prepared
  const { n, candidates, outputKind, draw, includeStopStrInOutput } = sampling
  const arrivalTime = now()
  const outbox = new Outbox({
    requestId,
    indices: candidates,
    kind: outputKind,
    held: candidates > n,
    highWater: options.streamBuffer * candidates,
    interval: options.streamInterval,
    onFull: () => table.park(made),
    onDrained: () => table.resume(made),
    wake
  })
  const made = new GenerationRequest(
    {
      requestId,
      arrivalTime,
      deadline:
        request.deadline === undefined ? Number.POSITIVE_INFINITY : arrivalTime + Duration.toMillis(request.deadline),
      outputs: makeOutputs(requestId, prepared, tokenizer, nextSequence),
      includeStopToken: includeStopStrInOutput,
      logprobs: draw.logprobs,
      returned: n,
      table,
      now,
      decodeToken: tokenizer && ((id) => tokenizer.decodeToken(id))
    },
    outbox
  )
  return made
}
