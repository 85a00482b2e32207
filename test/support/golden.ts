import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { OutputRows, StepInput, StepResult } from "../../src/domain/batch/step.ts"
import { type CompiledModel, type CompileOptions, compileModel } from "../../src/domain/model/load.ts"
import { make as source } from "../../src/layers/ModelSource.ts"
import { Backend, type LoadedModel } from "../../src/services/Backend.ts"

/** One prompt with transformers' answers (float32, CPU). */
export interface GoldenCase {
  readonly promptTokenIds: ReadonlyArray<number>
  readonly promptLogprobs: ReadonlyArray<number | null>
  readonly lastLogits: ReadonlyArray<number>
  readonly greedy: ReadonlyArray<number>
  readonly steps: ReadonlyArray<{ readonly token: number; readonly top: ReadonlyArray<readonly [number, number]> }>
}

const committed = resolve(import.meta.dirname, "../golden/cases")
/** Where all folders lie while the project is made; a clone has only the committed ones. */
const shared = "/work/shared/golden/models"

export const goldenNames: ReadonlyArray<string> = readdirSync(committed).filter((name) =>
  existsSync(join(committed, name, "expected.json"))
)

export const folderOf = (name: string): string => {
  const folder = join(committed, name)
  return existsSync(folder) ? folder : join(shared, name)
}

export const goldenCases = (name: string): ReadonlyArray<GoldenCase> =>
  JSON.parse(readFileSync(join(folderOf(name), "expected.json"), "utf8")).cases

export const compileFolder = (folder: string, options: CompileOptions = { dtype: "auto" }): CompiledModel =>
  Either.getOrThrow(compileModel(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")), options))

export const blockSize = 16
const blocks = 24

/** The folder's model on the backend of the context; one sequence of up to 384 tokens. */
export const loadFolder = (folder: string, options: CompileOptions) =>
  Effect.gen(function* () {
    const { plan } = compileFolder(folder, options)
    const tensors = yield* (yield* source.open(folder)).tensors
    const backend = yield* Backend
    return yield* backend.load({ plan, tensors, capacity: { maxTokens: 128, maxSequences: 4, blocks, blockSize } })
  })

const outputRows = (index: ReadonlyArray<number>, target: ReadonlyArray<number>, logprobs: number): OutputRows => {
  const count = index.length
  return {
    index: Int32Array.from(index),
    target: Int32Array.from(target),
    logprobs: new Int32Array(count).fill(logprobs),
    temperature: new Float32Array(count),
    topK: new Int32Array(count),
    topP: new Float32Array(count).fill(1),
    minP: new Float32Array(count),
    seed: new Uint32Array(2 * count),
    outputIndex: new Uint32Array(count)
  }
}

/**
 * A step of one sequence in blocks 1, 2, 3...: `tokens` from position `computed` on. The last row draws; with
 * `targets`, every row before it is asked for the logprob of the token that follows.
 */
export const stepOf = (step: number, tokens: ReadonlyArray<number>, computed: number, targets: boolean): StepInput => {
  const count = tokens.length
  const positions = Int32Array.from(tokens, (_, i) => computed + i)
  const known = computed + count
  const tables = Int32Array.from({ length: Math.ceil(known / blockSize) }, (_, i) => i + 1)
  const index = targets ? tokens.map((_, i) => i) : [count - 1]
  const target = targets ? [...tokens.slice(1), -1] : [-1]
  return {
    step,
    tokens: Int32Array.from(tokens),
    positions,
    sequenceStarts: Int32Array.of(0, count),
    contextLengths: Int32Array.of(known),
    cacheGroups: [
      {
        slots: positions.map((position) => blockSize + position),
        blockTables: tables,
        blockTableStarts: Int32Array.of(0, tables.length)
      }
    ],
    copies: new Int32Array(0),
    rows: outputRows(index, target, 5)
  }
}

/** The prompt in one step, then the reference's own tokens one by one: what the model says at each. */
export const teacherForced = (model: LoadedModel, golden: GoldenCase) =>
  Effect.gen(function* () {
    const { promptTokenIds, greedy } = golden
    const prompt = yield* model.step(stepOf(0, promptTokenIds, 0, true))
    const results: Array<StepResult> = []
    for (let i = 0; i + 1 < greedy.length; i++)
      results.push(yield* model.step(stepOf(i + 1, [greedy[i]!], promptTokenIds.length + i, false)))
    return { prompt, results }
  })

/** A row's stated logprobs by token. */
export const statedAt = (result: StepResult, row: number): ReadonlyMap<number, number> => {
  const entries = Array.from(
    { length: result.top },
    (_, i) => [result.topTokens[row * result.top + i]!, result.topLogprobs[row * result.top + i]!] as const
  )
  return new Map([...entries, [result.tokens[row]!, result.logprobs[row]!]])
}
