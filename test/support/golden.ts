import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { StepInput, StepResult } from "../../src/domain/batch/step.ts"
import { type CompiledModel, type CompileOptions, compileModel } from "../../src/domain/model/load.ts"
import { make as source } from "../../src/layers/ModelSource.ts"
import { Backend, type LoadedModel } from "../../src/services/Backend.ts"
import { batchOf, blockSize } from "./batch.ts"

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

/** Usable KV blocks of a loaded folder. */
const blocks = 24

/** The folder's model on the backend of the context; one sequence of up to 384 tokens. */
export const loadFolder = (folder: string, options: CompileOptions) =>
  Effect.gen(function* () {
    const { plan } = compileFolder(folder, options)
    const tensors = yield* (yield* source.open(folder)).tensors
    const backend = yield* Backend
    return yield* backend.load({ plan, tensors, capacity: { maxTokens: 128, maxSequences: 4, blocks, blockSize } })
  })

/** The prompt in one step of blocks 1, 2, 3...; with `targets` every row is asked for the token that follows. */
export const stepOf = (step: number, tokens: ReadonlyArray<number>, computed: number, targets: boolean): StepInput =>
  batchOf(step, [{ tokens, computed, blocks: Array.from({ length: blocks }, (_, i) => i + 1), targets }])

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
