import * as Effect from "effect/Effect"
import { GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { EngineService } from "../../services/Engine.ts"
import { checkPrompt, checkReplies, checkServed, decodeRequest, promptIds, truncatePrompt } from "./admission.ts"
import type { Admission, Admit } from "./admit.ts"
import { newGeneration, type Prepared } from "./newGeneration.ts"
import type { EngineParts } from "./parts.ts"
import { pullStream } from "./pullStream.ts"

export const makeSubmit = (parts: EngineParts, admission: Admission, admit: Admit): EngineService["submit"] => {
  const { table, refusal, nextArrival } = admission

  const prepare = Effect.fnUntraced(function* (given: GenerateRequest) {
    // First the parameters by themselves: what is wrong in them is then named as their user knows it.
    const sampling = yield* parts.sampler.resolve(given?.params, nextArrival())
    const request = yield* decodeRequest(GenerateRequest, given)
    const unserved = checkServed(request, parts.options.scheduler.policy)
    if (unserved !== undefined) return yield* unserved
    // A text may be long: whoever interrupts is heard before and after it is tokenised, and nothing has been taken yet.
    yield* Effect.yieldNow()
    const ids = yield* promptIds(request, parts.tokenizer)
    yield* Effect.yieldNow()
    const promptTokenIds = yield* truncatePrompt(ids, sampling.truncatePromptTokens, parts.served)
    const name = sampling.candidates > sampling.n ? "bestOf" : "n"
    const problem =
      checkPrompt(promptTokenIds, parts.served) ??
      checkReplies(name, sampling.candidates, promptTokenIds.length, parts.served)
    if (problem !== undefined) return yield* problem
    const { structuredOutputs } = sampling
    const grammar = structuredOutputs && (yield* parts.grammars!.compile(structuredOutputs))
    return { request, promptTokenIds, sampling, grammar } satisfies Prepared
  })

  return (given) =>
    Effect.gen(function* () {
      const refused = refusal()
      if (refused !== undefined) return yield* refused
      const prepared = yield* prepare(given)
      const admitted = admit(prepared.request.requestId, (id) => newGeneration(id, prepared, parts, admission))
      const request = yield* Effect.acquireRelease(admitted, (taken) => Effect.sync(() => table.drop(taken)))
      return {
        requestId: request.requestId,
        promptTokenIds: prepared.promptTokenIds,
        deltas: pullStream(request.outbox.pull)
      }
    })
}
