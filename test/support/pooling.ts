import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { makeBlockPool } from "../../src/domain/kv/makeBlockPool.ts"
import type { PoolerFacts } from "../../src/domain/model/poolerFacts.ts"
import type { Activation } from "../../src/domain/ops/activation.ts"
import type { DenseChoice, PoolerChoice } from "../../src/domain/pooling/choice.ts"
import { type Pooling, type PoolTarget, poolTarget } from "../../src/domain/pooling/target.ts"
import { makePoolSequence } from "../../src/domain/request/poolSequence.ts"
import { makeScheduler } from "../../src/domain/schedule/makeScheduler.ts"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import { make as source } from "../../src/layers/ModelSource.ts"
import { Backend } from "../../src/services/Backend.ts"
import { compileFolder } from "./golden.ts"

/** One text with the reference's answers. Which fields are there tells what the folder is about. */
export interface PoolingCase {
  readonly tokenIds?: ReadonlyArray<number>
  readonly tokenTypeIds?: ReadonlyArray<number>
  readonly hidden?: ReadonlyArray<number>
  readonly lastHidden?: ReadonlyArray<ReadonlyArray<number>>
  readonly tokenEmbed?: ReadonlyArray<ReadonlyArray<number>>
  readonly logits?: ReadonlyArray<number> | ReadonlyArray<ReadonlyArray<number>>
  readonly noYesIds?: ReadonlyArray<number>
  readonly noYesLogits?: ReadonlyArray<number>
  readonly stepTokenId?: number
  readonly stepRows?: ReadonlyArray<number>
  readonly output?: ReadonlyArray<number> | ReadonlyArray<ReadonlyArray<number>>
}

const root = resolve(import.meta.dirname, "../golden/pooling")
export const poolingNames: ReadonlyArray<string> = readdirSync(root)
export const poolingFolder = (name: string) => join(root, name)
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"))

/** The folder's texts whose tokens are given. */
export const poolingCases = (name: string): ReadonlyArray<PoolingCase & { readonly tokenIds: ReadonlyArray<number> }> =>
  json(join(root, name, "expected.json")).cases.filter((golden: PoolingCase) => golden.tokenIds !== undefined)

const pooling = (folder: string): Pooling | undefined => {
  const path = join(folder, "1_Pooling", "config.json")
  if (!existsSync(path)) return undefined
  const modes = json(path)
  return modes.pooling_mode_mean_tokens ? "MEAN" : modes.pooling_mode_cls_token ? "CLS" : "LAST"
}

const dense = (folder: string): ReadonlyArray<DenseChoice> => {
  const path = join(folder, "2_Dense", "config.json")
  if (!existsSync(path)) return []
  const { out_features: columns, bias, activation_function: activation } = json(path)
  const kind = String(activation).split(".").at(-1)!.toLowerCase() as Activation
  return [{ name: "2_Dense/linear", columns, bias, activation: kind }]
}

/** What the folder's files, or the case's own notes, say of its pooler. */
export const choiceOf = (name: string): PoolerChoice => {
  const folder = poolingFolder(name)
  const mode = pooling(folder)
  const [first] = poolingCases(name)
  if (first!.noYesIds !== undefined) return { convert: "classify", classifierTokens: first!.noYesIds }
  const generates = /CausalLM/.test(json(join(folder, "config.json")).architectures[0])
  return {
    ...(generates ? { convert: "embed" as const } : {}),
    ...(mode === undefined ? {} : { pooling: mode }),
    dense: dense(folder)
  }
}

export interface PoolOptions {
  readonly dtype: Dtype
  readonly maxNumBatchedTokens?: number
  readonly choice?: PoolerChoice
}

/** Raw rows of one text. */
export interface PoolAnswer {
  readonly pooled: Float32Array | undefined
  readonly each: ReadonlyArray<Float32Array>
  readonly cached: number
}

const tensorsOf = (name: string) =>
  Effect.gen(function* () {
    const folder = poolingFolder(name)
    const base = yield* (yield* source.open(folder)).tensors
    if (dense(folder).length === 0) return base
    // Read as a checkpoint of its own: it needs a config.json, and has one.
    const inner = yield* (yield* source.open(join(folder, "2_Dense"))).tensors
    const more = [...inner.tensors.values()].map((location) => {
      const full = `2_Dense/${location.name}`
      return [full, { ...location, name: full, file: location.file + base.files.length }] as const
    })
    return { files: [...base.files, ...inner.files], tensors: new Map([...base.tensors, ...more]) }
  })

/** The folder's model on the context's backend, behind a scheduler of its own; texts are answered in waves. */
export const openPooler = (name: string, { dtype, maxNumBatchedTokens = 512, choice }: PoolOptions) =>
  Effect.gen(function* () {
    const options = { dtype, pooler: choice ?? choiceOf(name) }
    const { plan, facts } = compileFolder(poolingFolder(name), options)
    const pooler = facts.pooler!
    const maxNumSeqs = 16
    const blocks = pooler.bidirectional ? 1 : 128
    const tensors = yield* tensorsOf(name)
    const capacity = { maxTokens: maxNumBatchedTokens, maxSequences: maxNumSeqs, blocks, blockSize: 16 }
    const model = yield* (yield* Backend).load({ plan, tensors, capacity })
    const blockPool = makeBlockPool({ blocks, blockSize: 16, prefixCaching: true })
    const scheduler = makeScheduler(
      {
        maxNumBatchedTokens,
        maxNumSeqs,
        maxModelLen: Math.min(facts.maxModelLen, 512, 127 * 16),
        blockSize: 16,
        longPrefillTokenThreshold: 0,
        enableChunkedPrefill: true,
        policy: "fcfs",
        pooler
      },
      blockPool
    )
    let ids = 0
    const run = (texts: ReadonlyArray<{ readonly tokens: ReadonlyArray<number>; readonly target: PoolTarget }>) =>
      Effect.gen(function* () {
        const sequences = texts.map(({ tokens, target }) =>
          makePoolSequence({ id: ids++, requestId: `text ${ids}`, tokens, target })
        )
        const answers = new Map(
          sequences.map(({ id }) => [
            id,
            { pooled: undefined as Float32Array | undefined, each: [] as Array<Float32Array> }
          ])
        )
        for (const sequence of sequences) scheduler.add(sequence)
        let steps = 0
        for (let next = scheduler.schedule(); next !== undefined; next = scheduler.schedule(), steps++) {
          const result = yield* model.step(next.input)
          for (const { sequence, pooled: rows } of scheduler.advance(next.plan, result)) {
            const answer = answers.get(sequence.id)!
            const { pooledWidth: width, eachWidth } = pooler
            if (rows!.row >= 0) answer.pooled = result.pool!.pooled.slice(rows!.row * width, (rows!.row + 1) * width)
            for (let i = 0; i < rows!.eachRows; i++)
              answer.each[rows!.eachIndex + i] = result.pool!.each.slice(
                (rows!.eachRow + i) * eachWidth,
                (rows!.eachRow + i + 1) * eachWidth
              )
          }
        }
        scheduler.check()
        const done = sequences.map(({ id, cached }): PoolAnswer => ({ ...answers.get(id)!, cached }))
        return { answers: done, steps, scheduler }
      })
    return { pooler, run }
  })

/** A text of a golden case: its sequence's row, where the model has one, and every token's. */
export const textOf = (
  golden: PoolingCase & { readonly tokenIds: ReadonlyArray<number> },
  { pooling: mode, pooledWidth }: PoolerFacts
) => {
  const types = golden.tokenTypeIds === undefined ? {} : { tokenTypes: golden.tokenTypeIds }
  const sequence = mode === "ALL" || mode === "STEP" ? "LAST" : mode
  const { pooled: position, mean } = poolTarget(sequence, golden.tokenIds)
  const pooled = pooledWidth === 0 ? -1 : position
  const { each } = poolTarget("ALL", golden.tokenIds)
  return { tokens: golden.tokenIds, target: { pooled, mean, each, ...types } }
}
