import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type OpName, opNames, opRecord } from "../../src/domain/ops/table.ts"
import { type Dtype, dtypes } from "../../src/domain/tensor/dtype.ts"
import { loadAddon } from "../../src/layers/backend/addon.ts"
import { type CpuAnswer, runOnCpu } from "../support/cpuOp.ts"
import { instructionPaths } from "../support/devices.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"
import { blockSize, casesOf, distance, type MadeCase, make, runReference } from "../support/opCase.ts"

const families = Effect.all({ addon: loadAddon, isas: Effect.promise(instructionPaths) })

const bitsOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

/** K at slots that the step opened but did not write: nobody reads it, and nothing says what it is. */
const withoutUnwritten = (made: MadeCase, keys: Float32Array): Float32Array => {
  const width = (made.dims.G ?? 1) * (made.dims.D ?? 1)
  const written = new Set(made.context.groups[0]!.slots)
  const out = keys.slice()
  for (const block of made.openedBlocks)
    for (let slot = block * blockSize; slot < (block + 1) * blockSize; slot++)
      if (!written.has(slot)) out.fill(0, (slot - blockSize) * width, (slot - blockSize + 1) * width)
  return out
}

const agrees = (made: MadeCase, answer: CpuAnswer, tolerance: number, what: string) => {
  made.operands.forEach(({ name, data }, i) => {
    const got = answer.operands[i]
    if (data && got) expect(distance(got, data), `${name}, ${what}`).toBeLessThanOrEqual(tolerance)
  })
  if (!("group" in made.attributes)) return
  const { G = 1, D = 1, E = 1 } = made.dims
  const keys = made.cacheKeys.subarray(blockSize * G * D)
  const values = made.cacheValues.subarray(blockSize * G * E)
  expect(
    distance(withoutUnwritten(made, answer.keys), withoutUnwritten(made, keys)),
    `keys, ${what}`
  ).toBeLessThanOrEqual(tolerance)
  expect(distance(answer.values, values), `values, ${what}`).toBeLessThanOrEqual(tolerance)
}

const sameBits = (first: CpuAnswer, other: CpuAnswer, what: string) => {
  const all = (answer: CpuAnswer) => [...answer.operands, answer.keys, answer.values]
  all(first).forEach((values, i) => {
    if (values) expect(bitsOf(all(other)[i]!).equals(bitsOf(values)), what).toBe(true)
  })
}

const check = (op: OpName, dtype: Dtype) =>
  Effect.gen(function* () {
    const { addon, isas } = yield* families
    expect(isas).toContain("portable")
    const record = opRecord(op)
    for (const [index, opCase] of casesOf(record).entries()) {
      const made = make(record, opCase, dtype)
      const answers: Array<CpuAnswer> = []
      for (const isa of isas) answers.push(yield* runOnCpu(addon, op, made, dtype, isa))
      const alone = yield* runOnCpu(addon, op, made, dtype, isas[0]!, 1)
      runReference(record, made)
      agrees(made, answers[0]!, record.tolerance[dtype], `case ${index}`)
      for (const [i, answer] of answers.entries())
        sameBits(answers[0]!, answer, `case ${index}: ${isas[i]} against ${isas[0]}`)
      sameBits(answers[0]!, alone, `case ${index}: one thread against two`)
    }
  })

/** Every op enrols itself, in every dtype and instruction family. */
describe.skipIf(!nativeBuilt())("ops on the Cpu backend", () => {
  for (const op of opNames)
    for (const dtype of dtypes)
      it.live(`${op} in ${dtype} equals its reference, with equal bits in every instruction family`, () =>
        check(op, dtype)
      )
})
