import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { GenerateError } from "../domain/errors.ts"
import { foldDeltas } from "../domain/request/fold.ts"
import type { GenerationDelta, RequestOutput } from "../domain/request/outputs.ts"
import { countTokens } from "../domain/request/progress.ts"
import { BeamSearchParams } from "../domain/sampling/beamParams.ts"
import type { SamplingInput } from "../domain/sampling/samplingParams.ts"
import { completeBeams } from "../layers/engine/derived.ts"
import type { ChatTemplateOptions } from "../services/ChatTemplate.ts"
import { Engine, type EngineService } from "../services/Engine.ts"
import type { OrderedReplies } from "./ordered.ts"
import type { Count } from "./progress.ts"

export interface ReplyOptions {
  readonly params: SamplingInput | BeamSearchParams
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
const promptOf = Effect.fnUntraced(function* (engine: EngineService, prompt: string, options: ReplyOptions) {
  const { raw, template } = options
  if (raw || !(engine.model.chatTemplate || template.chatTemplate !== undefined)) return { prompt }
  const text = yield* engine.applyChatTemplate([{ role: "user", content: prompt }], template)
  return { promptTokenIds: yield* engine.tokenize(text, { addSpecialTokens: false }) }
})

/** The beams of a prompt, which come all at once. */
const searchBeams = (engine: EngineService, prompt: string, params: BeamSearchParams, options: ReplyOptions) =>
  Effect.gen(function* () {
    const request = { ...(yield* promptOf(engine, prompt, options)), params: { ...params } }
    const whole = yield* Effect.provideService(completeBeams(request), Engine, engine)
    return { ...whole, prompt }
  })

/** A sampled reply; when it is live its text is pushed as it comes, and nothing of it is kept. */
const sample = Effect.fnUntraced(function* (
  engine: EngineService,
  prompt: string,
  given: SamplingInput,
  count: Count,
  options: ReplyOptions,
  push: ((text: string) => Effect.Effect<void>) | undefined
) {
  // To the end of the reply, or of the context, unless it is told otherwise.
  const final = given.bestOf === undefined ? {} : { outputKind: "final" as const }
  const params = { maxTokens: engine.model.maxModelLen, ...given, ...final }
  const generation = yield* engine.submit({ ...(yield* promptOf(engine, prompt, options)), params })
  const { requestId, promptTokenIds, deltas } = generation
  const kept: Array<GenerationDelta> = []
  if (push !== undefined && options.titles) yield* push(title(prompt))
  count.promptTokens += promptTokenIds.length
  yield* Stream.runForEach(deltas, (delta) => {
    count.tokens += delta.tokenIds.length
    if (push !== undefined) return delta.text === "" ? Effect.void : push(delta.text)
    kept.push(delta)
    return Effect.void
  })
  return foldDeltas({ requestId, prompt, promptTokenIds }, kept)
}, Effect.scoped)

/** Generates one reply and writes it in its turn. */
export const reply = (
  engine: EngineService,
  prompt: string,
  index: number,
  replies: OrderedReplies,
  count: Count,
  options: ReplyOptions
): Effect.Effect<void, GenerateError> =>
  Effect.gen(function* () {
    const { params, json, titles } = options
    const push = (text: string) => Effect.promise(() => replies.push(index, text))
    const beams = params instanceof BeamSearchParams
    // Several replies to one prompt grow at once: they are written one after another.
    const live = options.live && !beams && (params.n ?? 1) === 1
    const whole = beams
      ? yield* searchBeams(engine, prompt, params, options)
      : yield* sample(engine, prompt, params, count, options, live ? push : undefined)
    if (live) return yield* push(titles ? "\n\n" : "\n")
    if (beams) countBeams(count, whole)
    const text = whole.outputs.map((output) => output.text).join("\n\n")
    yield* push(json ? `${JSON.stringify(whole)}\n` : `${titles ? title(prompt) : ""}${text}\n\n`)
  })

const countBeams = (count: Count, whole: RequestOutput) => {
  const { promptTokens, generationTokens } = countTokens(whole)
  count.promptTokens += promptTokens
  count.tokens += generationTokens
}

const title = (prompt: string) => `> ${prompt}\n`

/** One line for a reply that failed, so that line n still answers prompt n. */
export const failedLine = (prompt: string, error: GenerateError) =>
  `${JSON.stringify({ prompt, error: { _tag: error._tag, message: error.message } })}\n`
