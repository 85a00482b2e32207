import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GenerateError } from "../domain/errors.ts"
import { foldDeltas } from "../domain/request/fold.ts"
import type { GenerationDelta } from "../domain/request/outputs.ts"
import type { SamplingInput } from "../domain/sampling/samplingParams.ts"
import type { ChatTemplateOptions } from "../services/ChatTemplate.ts"
import type { EngineService } from "../services/Engine.ts"
import type { OrderedReplies } from "./ordered.ts"
import type { Count } from "./progress.ts"

export interface ReplyOptions {
  readonly params: SamplingInput
  readonly json: boolean
  /** Continue the prompt as it stands. */
  readonly raw: boolean
  /** What the template is told beside the prompt. */
  readonly template: ChatTemplateOptions
  /** Write pieces as they come; otherwise each reply when it is whole. */
  readonly live: boolean
  /** Show each prompt above its reply. */
  readonly titles: boolean
}

/** The prompt as a user's message where the model has a template for it. */
const submit = Effect.fnUntraced(function* (engine: EngineService, prompt: string, options: ReplyOptions) {
  // To the end of the reply, or of the context, unless it is told otherwise.
  const whole = options.params.bestOf === undefined ? {} : { outputKind: "final" as const }
  const params = { maxTokens: engine.model.maxModelLen, ...options.params, ...whole }
  const { template } = options
  if (options.raw || !(engine.model.chatTemplate || template.chatTemplate !== undefined))
    return yield* engine.submit({ prompt, params })
  const text = yield* engine.applyChatTemplate([{ role: "user", content: prompt }], template)
  const promptTokenIds = yield* engine.tokenize(text, { addSpecialTokens: false })
  return yield* engine.submit({ promptTokenIds, params })
})

/** Generates one reply and writes it in its turn. */
export const reply = (
  engine: EngineService,
  prompt: string,
  index: number,
  replies: OrderedReplies,
  count: Count,
  options: ReplyOptions
): Effect.Effect<void, GenerateError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const push = (text: string) => Effect.promise(() => replies.push(index, text))
      const generation = yield* submit(engine, prompt, options)
      const kept: Array<GenerationDelta> = []
      count.promptTokens += generation.promptTokenIds.length
      // Several replies to one prompt grow at once: they are written one after another.
      const live = options.live && (options.params.n ?? 1) === 1
      if (options.titles && live) yield* push(title(prompt))
      yield* Stream.runForEach(generation.deltas, (delta) => {
        count.tokens += delta.tokenIds.length
        if (!live) kept.push(delta)
        return live && delta.text !== "" ? push(delta.text) : Effect.void
      })
      if (live) return yield* push(options.titles ? "\n\n" : "\n")
      const { requestId, promptTokenIds } = generation
      const whole = foldDeltas({ requestId, prompt, promptTokenIds }, kept)
      const text = whole.outputs.map((output) => output.text).join("\n\n")
      yield* push(options.json ? `${JSON.stringify(whole)}\n` : `${options.titles ? title(prompt) : ""}${text}\n\n`)
    })
  )

const title = (prompt: string) => `> ${prompt}\n`

/** One line for a reply that failed, so that line n still answers prompt n. */
export const failedLine = (prompt: string, error: GenerateError) =>
  `${JSON.stringify({ prompt, error: { _tag: error._tag, message: error.message } })}\n`
