import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { decodeEngineOptions } from "../domain/config/engineOptions.ts"
import type { PoolError } from "../domain/errors.ts"
import { decodePooling, type PoolingInput } from "../domain/pooling/poolingParams.ts"
import { layerWithHubConfig } from "../layers/compose/engine.ts"
import { classify, embed, scores } from "../layers/engine/pooling/pooled.ts"
import { Engine } from "../services/Engine.ts"
import { CliError } from "./cliError.ts"
import type { Command } from "./command.ts"
import type { MakeEngine } from "./generate.ts"
import type { Io } from "./io.ts"
import { OrderedReplies } from "./ordered.ts"
import { parseLine } from "./parse.ts"
import { type PoolCommand, poolFlags, poolHelp, sortPoolValues } from "./poolFlags.ts"
import { failedRow, jsonRow, type PoolAnswer, tableRow } from "./poolRows.ts"
import { readPrompts } from "./prompts.ts"

interface Work {
  readonly texts: ReadonlyArray<string>
  /** One a text, in their order. */
  readonly answers: ReadonlyArray<Effect.Effect<PoolAnswer, PoolError, Engine>>
}

type Asked = { readonly params: PoolingInput; readonly chatTemplate?: string | undefined }

const scoreWork = Effect.fnUntraced(function* (
  [query, ...texts]: ReadonlyArray<string>,
  { params, chatTemplate }: Asked
) {
  if (query === undefined || texts.length === 0)
    return yield* Effect.fail(new CliError("Give a query and one text or more, as in: millrace score ... QUERY TEXT"))
  const request = { texts1: query, texts2: texts, params, ...(chatTemplate === undefined ? {} : { chatTemplate }) }
  const all = yield* scores(request)
  const answers = all.map((one) => Effect.map(one, ({ outputs }): PoolAnswer => [outputs.score]))
  return { texts, answers } satisfies Work
})

const workOf = (command: PoolCommand, texts: ReadonlyArray<string>, asked: Asked) => {
  if (command === "score") return scoreWork(texts, asked)
  const { params } = asked
  const answer = (prompt: string): Effect.Effect<PoolAnswer, PoolError, Engine> =>
    command === "embed"
      ? Effect.map(embed({ prompt, params }), ({ outputs }) => outputs.embedding)
      : Effect.map(classify({ prompt, params }), ({ outputs }) => outputs.probs)
  return Effect.succeed<Work>({ texts, answers: texts.map(answer) })
}

/** Writes every answer in the order of the texts; answers how many failed. */
const writeAll = Effect.fnUntraced(function* (command: PoolCommand, { texts, answers }: Work, json: boolean, io: Io) {
  const { model } = yield* Engine
  const replies = new OrderedReplies(io.out)
  const row = json ? jsonRow : tableRow
  let failed = 0
  const one = (answer: Work["answers"][number], at: number) =>
    answer.pipe(
      Effect.map((data) => row(command, texts[at]!, data, model)),
      Effect.catchAll((error) => {
        failed++
        io.err(`Text ${at + 1}: ${error.message}\n`)
        return Effect.succeed(json ? failedRow(texts[at]!, error) : "")
      }),
      Effect.andThen((line) => Effect.promise(() => replies.push(at, line))),
      Effect.andThen(() => Effect.promise(() => replies.end(at)))
    )
  // Enough to keep the next step full; a file of a million texts is not tokenised at once.
  yield* Effect.forEach(answers, one, { concurrency: 2 * model.maxNumSeqs, discard: true })
  return failed
})

/** `millrace embed|classify|score`; answers the exit code. */
export const run = (
  command: PoolCommand,
  args: ReadonlyArray<string>,
  io: Io,
  makeEngine: MakeEngine = layerWithHubConfig
) =>
  Effect.gen(function* () {
    const flags = poolFlags(command)
    const line = yield* Effect.try({ try: () => parseLine(args, flags), catch: (error) => error as CliError })
    if (line.help) {
      yield* Effect.promise(() => io.out.write(poolHelp(command)))
      return 0
    }
    const { own, pooling, engine: given } = sortPoolValues(command, line.values)
    const params = yield* decodePooling(pooling)
    const options = yield* decodeEngineOptions(given)
    const texts = yield* Effect.tryPromise({
      try: (signal) => readPrompts(line.positionals, own.file, io, signal),
      catch: (error) => (error instanceof CliError ? error : new CliError(String(error)))
    })
    const engine = Context.get(yield* Layer.build(makeEngine(options)), Engine)
    const failed = yield* Effect.flatMap(workOf(command, texts, { params, chatTemplate: own.chatTemplate }), (work) =>
      writeAll(command, work, own.json === true, io)
    ).pipe(Effect.provideService(Engine, engine))
    return failed === 0 ? 0 : 1
  }).pipe(Effect.scoped)

/** The three as modules of commands. */
export const commandOf = (command: PoolCommand): Command => ({ run: (args, io) => run(command, args, io) })
