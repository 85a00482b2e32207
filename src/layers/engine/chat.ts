import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { InvalidRequest } from "../../domain/errors.ts"
import { ChatRequest } from "../../domain/request/generateRequest.ts"
import type { ChatDelta, GenerationDelta } from "../../domain/request/outputs.ts"
import type { ChatTemplateInstance, ChatTemplateOptions } from "../../services/ChatTemplate.ts"
import type { EngineService } from "../../services/Engine.ts"
import { decodeRequest } from "./admission.ts"

export const renderChat = (
  template: ChatTemplateInstance | undefined,
  messages: ReadonlyArray<unknown>,
  options: ChatTemplateOptions = {}
): Effect.Effect<string, InvalidRequest> =>
  template === undefined || !(template.present || options.chatTemplate !== undefined)
    ? new InvalidRequest({
        field: "messages",
        given: "a chat",
        expected: "a prompt",
        mend: "This checkpoint has no chat template: give chatTemplate, or use generate."
      })
    : template.render(messages, options)

/** Text deltas, and for each index a finish. */
const chatDeltas = (delta: GenerationDelta): Array<ChatDelta> => {
  const { requestId, index, text, finishReason, usage } = delta
  const deltas: Array<ChatDelta> = []
  if (text.length > 0) deltas.push({ requestId, index, type: "text-delta", delta: text })
  if (finishReason !== null)
    deltas.push({ requestId, index, type: "finish", reason: finishReason, ...(usage === undefined ? {} : { usage }) })
  return deltas
}

/** A chat as a request to continue its rendered text, whose special tokens are the template's own. */
export const chatPrompt = Effect.fnUntraced(function* (
  service: Pick<EngineService, "applyChatTemplate" | "tokenize">,
  request: ChatRequest
) {
  const { messages, requestId, params, priority, deadline, cacheSalt, lora, ...options } = request
  const prompt = yield* service.applyChatTemplate(messages, options)
  const promptTokenIds = yield* service.tokenize(prompt, { addSpecialTokens: false })
  return { prompt, request: { promptTokenIds, requestId, params, priority, deadline, cacheSalt, lora } }
})

export const makeSubmitChat =
  (service: Pick<EngineService, "applyChatTemplate" | "tokenize" | "submit">): EngineService["submitChat"] =>
  (given) =>
    Effect.gen(function* () {
      const { request } = yield* chatPrompt(service, yield* decodeRequest(ChatRequest, given))
      // What a chat's deltas are is fixed; how much of the past they repeat is not a choice here.
      const params = { ...request.params, outputKind: "delta" as const }
      const { requestId, promptTokenIds, deltas } = yield* service.submit({ ...request, params })
      return { requestId, promptTokenIds, deltas: Stream.mapConcat(deltas, chatDeltas) }
    })
