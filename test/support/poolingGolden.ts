import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import type { EngineOptions } from "../../src/domain/config/engineOptions.ts"
import type { LLM } from "../../src/index.ts"

type Numbers = number | ReadonlyArray<Numbers>

/** One text, pair or prompt with the reference's answer (transformers and sentence-transformers, float32, CPU). */
export interface PoolingCase {
  readonly text?: string
  readonly texts?: readonly [string, string]
  readonly prompt?: string
  readonly tokenIds?: ReadonlyArray<number>
  readonly output?: ReadonlyArray<Numbers>
  readonly outputAtDimensions?: Readonly<Record<string, ReadonlyArray<number>>>
  readonly score?: number
}

export interface PoolingGolden {
  readonly kind: "embed" | "classify" | "score" | "reward" | "token_embed" | "token_classify"
  readonly poolerConfig?: { readonly hf_overrides?: Readonly<Record<string, unknown>> }
  readonly cases: ReadonlyArray<PoolingCase>
}

const root = resolve(import.meta.dirname, "../golden/pooling")

export const poolingNames: ReadonlyArray<string> = readdirSync(root)
export const poolingFolder = (name: string): string => join(root, name)

export const readPoolingGolden = (name: string): PoolingGolden =>
  JSON.parse(readFileSync(join(poolingFolder(name), "expected.json"), "utf8")) as PoolingGolden

/** What no file of the folder says and its user must. */
export const poolingOptions = (name: string): EngineOptions => {
  const overrides = readPoolingGolden(name).poolerConfig?.hf_overrides
  return {
    model: poolingFolder(name),
    ...(overrides === undefined ? {} : { hfOverrides: overrides }),
    ...(name === "llama-as-embedding" ? { task: "embed" as const } : {})
  }
}

/** What the model gives for each case, by the method that the kind of the folder names. */
export const answers = async (
  llm: LLM,
  { kind, cases }: PoolingGolden
): Promise<ReadonlyArray<{ readonly promptTokenIds: ReadonlyArray<number>; readonly answer: Numbers }>> => {
  const texts = cases.map(({ prompt, text }) => prompt ?? text ?? "")
  switch (kind) {
    case "embed":
      return (await llm.embed(texts)).map((o) => ({ ...o, answer: o.outputs.embedding }))
    case "classify":
      return (await llm.classify(texts)).map((o) => ({ ...o, answer: o.outputs.probs }))
    case "reward":
      return (await llm.reward(texts)).map((o) => ({ ...o, answer: o.outputs.data }))
    case "token_embed":
    case "token_classify":
      return (await llm.encode(texts)).map((o) => ({ ...o, answer: o.outputs.data }))
    case "score": {
      if (cases[0]?.prompt !== undefined)
        return (await llm.classify(texts)).map((o) => ({ ...o, answer: o.outputs.probs }))
      const pairs = cases.map((one) => one.texts!)
      const scored = await llm.score(
        pairs.map(([a]) => a),
        pairs.map(([, b]) => b)
      )
      return scored.map((o) => ({ ...o, answer: [o.outputs.score] }))
    }
  }
}

/** The greatest difference between two answers; Infinity where their shapes differ. */
export const distance = (given: Numbers, wanted: Numbers): number => {
  if (typeof given === "number" || typeof wanted === "number")
    return typeof given === typeof wanted ? Math.abs((given as number) - (wanted as number)) : Number.POSITIVE_INFINITY
  if (given.length !== wanted.length) return Number.POSITIVE_INFINITY
  return wanted.reduce<number>((most, value, at) => Math.max(most, distance(given[at]!, value)), 0)
}
