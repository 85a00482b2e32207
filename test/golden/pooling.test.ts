import { describe, expect, it, layer as suite } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import { layer as cpu } from "../../src/layers/backend/Cpu.ts"
import { layer as reference } from "../../src/layers/backend/Reference.ts"
import type { Backend } from "../../src/services/Backend.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"
import {
  openPooler,
  type PoolAnswer,
  type PoolingCase,
  poolingCases,
  poolingNames,
  textOf
} from "../support/pooling.ts"

type Row = ArrayLike<number>

const normalised = (row: Row): Row => {
  const values = Array.from(row)
  const norm = Math.hypot(...values)
  return values.map((value) => value / norm)
}

const isMatrix = (rows: Row | ReadonlyArray<Row>): rows is ReadonlyArray<Row> => typeof rows[0] !== "number"
const matrix = (rows: Row | ReadonlyArray<Row> | undefined): ReadonlyArray<Row> =>
  rows === undefined ? [] : isMatrix(rows) ? rows : [rows]

/** What was answered beside what the reference says: rows by rows. */
const pairs = (
  golden: PoolingCase,
  { pooled, each }: PoolAnswer,
  columns: number
): ReadonlyArray<readonly [Row, Row]> => {
  const { hidden, lastHidden, tokenEmbed, logits, noYesLogits, output } = golden
  const ofEach = (want: ReadonlyArray<Row>, f: (row: Row) => Row = (row) => row) =>
    want.map((row, t) => [f(each[t]!), row] as const)
  const embeds = logits === undefined && noYesLogits === undefined
  return [
    ...(noYesLogits === undefined ? [] : [[pooled!, noYesLogits] as const]),
    ...(logits === undefined ? [] : isMatrix(logits) ? ofEach(logits) : [[pooled!, logits] as const]),
    ...ofEach(lastHidden ?? []),
    ...ofEach(tokenEmbed ?? [], normalised),
    ...(embeds && hidden !== undefined ? [[normalised(pooled!), matrix(output)[0]!] as const] : []),
    // Behind a Dense module nothing of the hidden state's width is left.
    ...(embeds && hidden?.length === columns && matrix(output)[0]!.length === hidden.length
      ? [[pooled!, hidden] as const]
      : []),
    ...(embeds && hidden === undefined ? ofEach(matrix(output), normalised) : [])
  ]
}

const worst = (all: ReadonlyArray<readonly [Row, Row]>): number => {
  let difference = 0
  for (const [got, want] of all) {
    expect(got.length).toBe(want.length)
    for (let i = 0; i < want.length; i++) difference = Math.max(difference, Math.abs(got[i]! - want[i]!))
  }
  return difference
}

const cosineDistance = (all: ReadonlyArray<readonly [Row, Row]>): number => {
  const flat = (side: 0 | 1) => all.flatMap((pair) => Array.from(pair[side]))
  const [a, b] = [normalised(flat(0)), normalised(flat(1))]
  let dot = 0
  for (let i = 0; i < a.length; i++) dot += a[i]! * b[i]!
  return 1 - dot
}

const bits = (answers: ReadonlyArray<PoolAnswer>) =>
  answers.map(({ pooled, each }) =>
    [...(pooled === undefined ? [] : [pooled]), ...each].map((row) => Buffer.from(row.buffer).toString("hex")).join(" ")
  )

const check = (name: string, dtype: Dtype) =>
  Effect.gen(function* () {
    const model = yield* openPooler(name, { dtype })
    const cases = poolingCases(name)
    const texts = cases.map((golden) => textOf(golden, model.pooler))
    const together = (yield* model.run(texts)).answers
    const all = cases.flatMap((golden, i) => pairs(golden, together[i]!, model.pooler.pooledWidth))
    expect(all.length).toBeGreaterThan(0)
    if (dtype === "float32") expect(worst(all)).toBeLessThan(1e-4)
    else expect(cosineDistance(all)).toBeLessThan(5e-3)
    const alone: Array<PoolAnswer> = []
    for (const text of texts) alone.push(...(yield* model.run([text])).answers)
    expect(bits(alone), "one text at a time").toEqual(bits(together))
  }).pipe(Effect.scoped)

const folders = (backend: Layer.Layer<Backend, unknown>, dtypes: ReadonlyArray<Dtype>) =>
  suite(backend, { excludeTestServices: true })((run) => {
    for (const name of poolingNames)
      for (const dtype of dtypes) run.effect(`${name} in ${dtype}, in a batch and alone`, () => check(name, dtype))
  })

describe("pooling, Reference", () => folders(reference, ["float32"]))
describe.skipIf(!nativeBuilt())("pooling, Cpu", () => folders(cpu(), ["float32", "bfloat16"]))

it("every folder but EmbeddingGemma's is here", () => expect(poolingNames.length).toBe(21))
