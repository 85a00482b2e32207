import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type OpName, opNames, opRecord } from "../../src/domain/ops/table.ts"
import { type Dtype, dtypes } from "../../src/domain/tensor/dtype.ts"
import { type OpBackend, opBackends } from "../support/opBackends.ts"
import { casesOf, distance, make, runReference } from "../support/opCase.ts"

const named = (dims: Readonly<Record<string, number>>) =>
  Object.entries(dims)
    .map(([name, size]) => `${name}${size}`)
    .join(" ")

/** A backend against the record's reference: outputs, and every K and V of the cache, written or not. */
const enrol = (backend: OpBackend, op: OpName, dtype: Dtype, index: number) => {
  const record = opRecord(op)
  const fresh = () => make(record, casesOf(record)[index]!, dtype)
  it.live(`${backend.name} ${dtype} case ${index}: ${named(fresh().dims)}`, () =>
    Effect.gen(function* () {
      const wanted = fresh()
      runReference(record, wanted)
      const got = yield* backend.run(op, fresh(), dtype)
      const tolerance = backend.exact ? 0 : record.tolerance[dtype]
      const outputs = wanted.operands.filter(({ output }) => output)
      outputs.forEach(({ data }, at) => {
        expect(distance(got.outputs[at]!, data!)).toBeLessThanOrEqual(tolerance)
      })
      expect(distance(got.keys, wanted.cacheKeys)).toBeLessThanOrEqual(tolerance)
      expect(distance(got.values, wanted.cacheValues)).toBeLessThanOrEqual(tolerance)
    })
  )
}

describe("every op on every backend", () => {
  const backends = opBackends()
  for (const op of opNames)
    describe(op, () => {
      const record = opRecord(op)
      for (const backend of backends)
        for (const dtype of dtypes) for (const index of casesOf(record).keys()) enrol(backend, op, dtype, index)
    })
})
