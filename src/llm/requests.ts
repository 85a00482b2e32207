import * as Effect from "effect/Effect"
import { InvalidRequest } from "../domain/errors.ts"
import type { ChatRequest } from "../domain/request/generateRequest.ts"
import { listPrompts, type Prompt, type Prompts, spread } from "../domain/request/prompts.ts"
import { BeamSearchParams } from "../domain/sampling/beamParams.ts"
import type { SamplingInput } from "../domain/sampling/samplingParams.ts"
import type { ObjectRequest } from "../layers/engine/object.ts"
import type { BatchOptions, ChatRequestOptions, RequestOptions } from "./options.ts"
import { withTemplateFile } from "./templateFile.ts"

/** One for all, or one for each. */
export type Params<P = SamplingInput> = P | ReadonlyArray<P>
/** A message in the form of the OpenAI API. As wide as this so that an application's own interface fits as well. */
export type Message = object

export const checked = <A>(value: A | InvalidRequest): Effect.Effect<A, InvalidRequest> =>
  value instanceof InvalidRequest ? value : Effect.succeed(value)

/** Options of a request that its Schema knows; `signal` and `progress` are this facade's own. */
export const requestFields = <O extends BatchOptions>({ signal: _signal, progress: _progress, ...fields }: O) => fields

/** One request for each prompt, each with its own parameters or all with the same. */
export const requestsOf = <P>(prompts: Prompts, params: Params<P>, options: BatchOptions) =>
  Effect.gen(function* () {
    const { list } = yield* checked(listPrompts(prompts))
    const all = yield* checked(spread<P>("params", params, list.length))
    const fields = requestFields(options)
    return list.map((prompt, at) => ({ ...fields, ...prompt, params: all[at]! }))
  })

const onePrompt = (prompt: unknown, mend: string) =>
  Effect.gen(function* () {
    const { many, list } = yield* checked(listPrompts(prompt))
    if (!many && list[0] !== undefined) return list[0]
    return yield* new InvalidRequest({ field: "prompt", given: "several prompts", expected: "one", mend })
  })

/** The request for a prompt that must be one. */
export const requestOf = (prompt: Prompt, params: SamplingInput, options: RequestOptions) =>
  Effect.map(onePrompt(prompt, "Make a stream for each of them."), (fields) => ({
    ...requestFields(options),
    ...fields,
    params
  }))

export const isBeams = (request: { readonly params: unknown }): request is { readonly params: BeamSearchParams } =>
  request.params instanceof BeamSearchParams

/** A prompt or a chat, by its form, as the request for one object. */
export const objectRequest = (
  given: Prompt | ReadonlyArray<Message>,
  params: SamplingInput,
  options: ChatRequestOptions
): Effect.Effect<ObjectRequest, InvalidRequest> =>
  Effect.gen(function* () {
    const fields = { ...(yield* withTemplateFile(requestFields(options))), params }
    const isChat = Array.isArray(given) && typeof given[0] === "object" && !Array.isArray(given[0])
    if (isChat) return { ...fields, messages: given as unknown as ChatRequest["messages"] }
    return { ...fields, ...(yield* onePrompt(given, "Ask for an object of each of them.")) }
  })
