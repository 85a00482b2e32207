import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { textOfMessage } from "../../domain/chat/continueFinal.ts"
import { judgeMessages } from "../../domain/chat/messages.ts"
import { formsFor, type MessageForm, normaliseMessages } from "../../domain/chat/normalise.ts"
import { ChatTemplateOptions } from "../../domain/chat/options.ts"
import { InvalidRequest } from "../../domain/errors.ts"
import { ChatRequest, type GenerateRequest } from "../../domain/request/generateRequest.ts"
import type { RequestOutput } from "../../domain/request/outputs.ts"
import { decodeSampling } from "../../domain/sampling/samplingParams.ts"
import { ChatReader, readOutput } from "../../domain/tools/chatReader.ts"
import { chooseParsers, planReading, type ReplyScanner } from "../../domain/tools/reading.ts"
import { toolsOf } from "../../domain/tools/toolChoice.ts"
import type { ChatTemplateInstance } from "../../services/ChatTemplate.ts"
import type { EngineService } from "../../services/Engine.ts"
import { decodeRequest } from "./admission.ts"
import { longCallId, shortCallId } from "./callIds.ts"

const noTemplate = new InvalidRequest({
  field: "messages",
  given: "a chat",
  expected: "a prompt",
  mend: "This checkpoint has no chat template: give chatTemplate, or use generate."
})

/** A chat's prompt. Its messages are rendered as they are, unless the options name a form for them. */
export const renderChat = (
  template: ChatTemplateInstance | undefined,
  messages: ReadonlyArray<unknown>,
  given: ChatTemplateOptions = {}
): Effect.Effect<string, InvalidRequest> =>
  Effect.gen(function* () {
    const options = yield* decodeRequest(ChatTemplateOptions, given)
    yield* toolsOf(options.tools ?? [])
    const judged = yield* judgeMessages(messages)
    if (template === undefined || !(template.present || options.chatTemplate !== undefined)) return yield* noTemplate
    const { chatTemplateContentFormat: content } = options
    if (content === undefined) return yield* template.render(judged, options)
    const inForm = (form: MessageForm) =>
      Effect.flatMap(normaliseMessages(judged, form), (normal) => template.render(normal, options))
    if (content !== "auto") return yield* inForm({ content, calls: "object" })
    const [likeliest, ...others] = formsFor(yield* template.contentFormat(options))
    return yield* Effect.catchAll(inForm(likeliest), (fault) =>
      // Where no form will do, the fault in the likeliest is told; one of the template itself no form mends.
      fault.field === "messages" ? Effect.mapError(Effect.firstSuccessOf(others.map(inForm)), () => fault) : fault
    )
  })

/** A chat that has been rendered: a request to continue its text, and how the replies to it are read. */
interface RenderedChat {
  readonly prompt: string
  readonly request: GenerateRequest
  /** A scanner for one of the replies. */
  readonly open: () => ReplyScanner
  readonly newCallId: () => string
  /** A refusal of that request, by the names of the chat's own fields. */
  readonly refused: <E>(error: E) => E | InvalidRequest
}

type ChatNeeds = Pick<EngineService, "model" | "applyChatTemplate" | "tokenize">

/** Renders and tokenizes a chat, whose special tokens are the template's own. */
export const prepareChat = (service: ChatNeeds, given: ChatRequest): Effect.Effect<RenderedChat, InvalidRequest> =>
  Effect.gen(function* () {
    // First the parameters by themselves: what is wrong in them is then named as their user knows it.
    yield* decodeSampling(given?.params ?? {})
    const request = yield* decodeRequest(ChatRequest, given)
    const { messages, requestId, params = {}, priority, deadline, cacheSalt, lora, toolChoice, ...options } = request
    const { tools, chatTemplate = "" } = options
    const reading = yield* planReading({
      tools,
      toolChoice,
      structured: params.structuredOutputs !== undefined,
      parsers: chooseParsers(service.model, chatTemplate)
    })
    const { schema, marks, shortIds, open } = reading
    const { chatTemplateContentFormat = "auto" } = options
    const prompt = yield* service.applyChatTemplate(messages, { ...options, chatTemplateContentFormat })
    const promptTokenIds = yield* service.tokenize(prompt, { addSpecialTokens: false })
    const continued = options.continueFinalMessage === true ? textOfMessage(messages.at(-1)) : undefined
    const constraint = schema === undefined ? {} : { structuredOutputs: { json: schema } }
    return {
      prompt,
      request: {
        promptTokenIds,
        requestId,
        params: { ...params, ...constraint },
        keepSpecialTokens: marks,
        priority,
        deadline,
        cacheSalt,
        lora
      },
      open: () => open(prompt, continued),
      newCallId: shortIds ? shortCallId : longCallId,
      refused: (error) => (error instanceof InvalidRequest ? reading.faultOf(error) : error)
    }
  })

export const makeSubmitChat =
  (service: ChatNeeds & Pick<EngineService, "submit">): EngineService["submitChat"] =>
  (given) =>
    Effect.gen(function* () {
      const { request, open, newCallId, refused } = yield* prepareChat(service, given)
      // What a chat's deltas are is fixed; how much of the past they repeat is not a choice here.
      const params = { ...request.params, outputKind: "delta" as const }
      const { requestId, promptTokenIds, deltas } = yield* Effect.mapError(
        service.submit({ ...request, params }),
        refused
      )
      // One reader: its state may stand beside the stream.
      const reader = new ChatReader(open, newCallId)
      return {
        requestId,
        promptTokenIds,
        deltas: Stream.mapChunks(
          deltas,
          Chunk.flatMap((delta) => Chunk.unsafeFromArray(reader.read(delta)))
        )
      }
    })

/** The whole reply to a rendered chat, with its parts told apart. */
export const readChat = (chat: RenderedChat, output: RequestOutput): RequestOutput => ({
  ...output,
  prompt: chat.prompt,
  outputs: output.outputs.map((each) => readOutput(each, chat.open(), chat.newCallId))
})
