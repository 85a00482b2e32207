import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { decodeEngineOptions, EngineOptions } from "../domain/config/engineOptions.ts"
import { field, flag, oneOf } from "../domain/config/types.ts"
import * as ChatTemplateLayer from "../layers/ChatTemplate.ts"
import { backendLayer, modelSourceLayer } from "../layers/compose/engine.ts"
import { openModel, openTokenizer } from "../layers/engine/folders.ts"
import { openPooler } from "../layers/engine/pooling/openPooler.ts"
import * as ModelRunnerLayer from "../layers/ModelRunner.ts"
import * as TokenizerLayer from "../layers/Tokenizer.ts"
import { ChatTemplate } from "../services/ChatTemplate.ts"
import { ModelRunner } from "../services/ModelRunner.ts"
import { Tokenizer } from "../services/Tokenizer.ts"
import { CliError } from "./cliError.ts"
import { flagsOf } from "./flags.ts"
import { helpText } from "./help.ts"
import type { Io } from "./io.ts"
import { type ParsedLine, parseLine } from "./parse.ts"
import { type Inspection, report, reportJson, type Section, sections } from "./report.ts"

const Own = Schema.Struct({
  section: field(
    Schema.Array(oneOf(...sections)).annotations({ description: "a section" }),
    "Show only this: facts, memory, graph or plan. May be given again."
  ),
  json: field(flag, "Write facts and memory as one JSON object.", false)
})

/** Options that change what an inspection shows. */
const Shaping = EngineOptions.pick(
  "model",
  "revision",
  "tokenizer",
  "tokenizerRevision",
  "task",
  "overridePoolerConfig",
  "hfOverrides",
  "device",
  "dtype",
  "maxModelLen",
  "maxNumSeqs",
  "maxNumBatchedTokens",
  "blockSize",
  "enableChunkedPrefill",
  "gpuMemoryUtilization",
  "kvCacheMemoryBytes",
  "numThreads"
)
const ownFlags = flagsOf(Own)
const engineFlags = flagsOf(Shaping)

const help = () =>
  helpText(
    "millrace inspect MODEL [flags]",
    "Shows what a checkpoint is and what it would take to run it. Reads no weights.",
    [
      { title: "Command", flags: ownFlags },
      { title: "Engine", flags: engineFlags }
    ]
  )

/** What the line asks for, with the model from its argument. */
const asked = ({ values, positionals }: ParsedLine) => {
  const { section, json, ...options } = values
  const [model, ...more] = [...positionals, ...(options.model === undefined ? [] : [String(options.model)])]
  if (model === undefined || more.length > 0)
    throw new CliError("Give one checkpoint folder, as in: millrace inspect models/brook")
  const wanted = (section ?? sections) as ReadonlyArray<Section>
  const strange = wanted.find((name) => !sections.includes(name))
  if (strange !== undefined) throw new CliError(`There is no section ${strange}. Choose from ${sections.join(", ")}.`)
  return { options: { ...options, model }, wanted, json: json === true }
}

const inspect = (given: unknown) =>
  Effect.gen(function* () {
    const options = yield* decodeEngineOptions(given)
    const { model } = options
    const checkpoint = yield* openModel(options)
    const tokenizerFolder = yield* openTokenizer(checkpoint, options)
    const { folder, choice } = yield* openPooler(checkpoint, options, (yield* Tokenizer).load(tokenizerFolder))
    const [prepared, { device }] = yield* Effect.flatMap(ModelRunner, (runner) =>
      Effect.all([runner.prepare(folder, options, choice), Effect.succeed(runner)])
    ).pipe(Effect.provide(Layer.provide(ModelRunnerLayer.layer, backendLayer(options))))
    const chatTemplate = (yield* (yield* ChatTemplate).load(tokenizerFolder)).present
    return { model, prepared, device, chatTemplate } satisfies Inspection
  }).pipe(Effect.provide(Layer.mergeAll(modelSourceLayer, ChatTemplateLayer.layer, TokenizerLayer.layer)))

/** `millrace inspect MODEL`; answers the exit code. */
export const run = (args: ReadonlyArray<string>, io: Io) =>
  Effect.gen(function* () {
    const line = yield* Effect.try({
      try: () => parseLine(args, [...ownFlags, ...engineFlags]),
      catch: (error) => error as CliError
    })
    const write = (text: string) =>
      Effect.as(
        Effect.promise(() => io.out.write(text)),
        0
      )
    if (line.help) return yield* write(help())
    const { options, wanted, json } = yield* Effect.try({ try: () => asked(line), catch: (error) => error as CliError })
    const inspection = yield* inspect(options)
    return yield* write(json ? reportJson(inspection) : report(inspection, wanted))
  })
