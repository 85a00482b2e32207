import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { decodeEngineOptions, type EngineOptions } from "../domain/config/engineOptions.ts"
import { show } from "../domain/config/show.ts"
import { InvalidRequest, type StartError } from "../domain/errors.ts"
import { BeamSearchParams, decodeBeamSearch } from "../domain/sampling/beamParams.ts"
import { decodeSampling } from "../domain/sampling/samplingParams.ts"
import { layerWithHubConfig } from "../layers/compose/engine.ts"
import { withTemplateFile } from "../llm/templateFile.ts"
import { Engine, type EngineService } from "../services/Engine.ts"
import { CliError } from "./cliError.ts"
import { generateFlags, generateHelp, sortValues } from "./generateFlags.ts"
import type { Io } from "./io.ts"
import { OrderedReplies, type Sink } from "./ordered.ts"
import { parseLine } from "./parse.ts"
import { type Count, ProgressBar, rate } from "./progress.ts"
import { readPrompts } from "./prompts.ts"
import { failedLine, type ReplyOptions, reply } from "./replies.ts"

/** Where the engine comes from; tests put another in. */
export type MakeEngine = (options: EngineOptions) => Layer.Layer<Engine, StartError>

/** A bar and replies on one terminal: the bar steps aside for each write. */
const aroundBar = (sink: Sink, bar: ProgressBar | undefined): Sink =>
  bar === undefined
    ? sink
    : {
        write: (text) => {
          bar.clear()
          return sink.write(text)
        }
      }

/** All replies; answers how many failed. The figures go to stderr, so that stdout holds replies alone. */
const replyToAll = Effect.fnUntraced(function* (
  engine: EngineService,
  prompts: ReadonlyArray<string>,
  options: Omit<ReplyOptions, "live" | "titles">,
  io: Io,
  progress: boolean
) {
  const count: Count = { replies: 0, total: prompts.length, promptTokens: 0, tokens: 0 }
  const showBar = progress && io.errIsTerminal && (prompts.length > 1 || options.json)
  const bar = yield* Effect.acquireRelease(
    Effect.sync(() => (showBar ? new ProgressBar(count, io.err) : undefined)),
    (drawn) => Effect.sync(() => drawn?.stop())
  )
  const shared = showBar && io.outIsTerminal
  const replies = new OrderedReplies(aroundBar(io.out, shared ? bar : undefined))
  const how = { ...options, live: !options.json && !shared, titles: prompts.length > 1 }
  const start = performance.now()
  let failed = 0
  const one = (prompt: string, index: number) =>
    reply(engine, prompt, index, replies, count, how).pipe(
      Effect.catchAll((error) => {
        failed++
        bar?.clear()
        io.err(`Prompt ${index + 1}: ${error.message}\n`)
        const instead = options.json ? failedLine(prompt, error) : how.titles ? "\n\n" : ""
        return Effect.promise(() => replies.push(index, instead))
      }),
      Effect.andThen(() => {
        count.replies++
        return Effect.promise(() => replies.end(index))
      })
    )
  // Enough to keep the next step full; a file of a million prompts is not tokenised at once.
  yield* Effect.forEach(prompts, one, { concurrency: 2 * engine.model.maxNumSeqs, discard: true })
  bar?.stop()
  io.err(`${count.tokens} tokens, ${rate(count.tokens, performance.now() - start)} tokens/s\n`)
  return failed
})

type Values = Readonly<Record<string, unknown>>

/** A beam search when its width is given: then the flags of sampling that it does not know are refused. */
const decodeParams = (sampling: Values, beam: Values) => {
  if (beam.beamWidth !== undefined)
    return Either.map(decodeBeamSearch({ ...sampling, ...beam }), (given) => new BeamSearchParams(given))
  const [lonely] = Object.keys(beam)
  if (lonely === undefined) return decodeSampling(sampling)
  const { field, given } = { field: lonely, given: show(beam[lonely]) }
  return Either.left(
    new InvalidRequest({ field, given, expected: "beamWidth beside it", mend: "Give --beam-width too." })
  )
}

/** `millrace generate`; answers the exit code. */
export const run = (args: ReadonlyArray<string>, io: Io, makeEngine: MakeEngine = layerWithHubConfig) =>
  Effect.gen(function* () {
    const line = yield* Effect.try({ try: () => parseLine(args, generateFlags), catch: (error) => error as CliError })
    if (line.help) {
      yield* Effect.promise(() => io.out.write(generateHelp()))
      return 0
    }
    const { own, sampling, beam, engine: given } = sortValues(line.values)
    const params = yield* decodeParams(sampling, beam)
    const options = yield* decodeEngineOptions(given)
    const prompts = yield* Effect.tryPromise({
      try: (signal) => readPrompts(line.positionals, own.file, io, signal),
      catch: (error) => (error instanceof CliError ? error : new CliError(String(error)))
    })
    const engine = Context.get(yield* Layer.build(makeEngine(options)), Engine)
    const { json = false, raw = false, progress = true, file: _file, ...rest } = own
    const template = yield* withTemplateFile(rest)
    const failed = yield* replyToAll(engine, prompts, { params, json, raw, template }, io, progress)
    return failed === 0 ? 0 : 1
  }).pipe(Effect.scoped)
