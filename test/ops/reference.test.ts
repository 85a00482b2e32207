import { describe, expect, it } from "vitest"
import { type OpName, opNames, opRecord } from "../../src/domain/ops/table.ts"
import { makeInterpreter } from "../../src/domain/plan/interpret.ts"
import { type Dtype, dtypes } from "../../src/domain/tensor/dtype.ts"
import { blockSize, casesOf, distance, type MadeCase, make, runReference } from "../support/opCase.ts"
import { gather, place, spread, stepOf } from "../support/opPlan.ts"

/** The case as a plan of one instruction: operands are views inside wider slots, the batch is paged. */
const interpret = (op: OpName, made: MadeCase, dtype: Dtype) => {
  const { plan, slots } = place(op, made, dtype)
  const weights = plan.weights.map((weight) => (weight.source === "constant" ? weight.values : new Float32Array()))
  const { tokens, rows, groups } = made.context
  const cached = plan.cacheGroups.length > 0
  const blocks = cached
    ? made.cacheKeys.length / (made.dims.G! * made.dims.D! * blockSize) - 1
    : groups[0]!.slots.length
  const machine = makeInterpreter(plan, weights, {
    maxTokens: tokens.length,
    maxSequences: 8,
    slabRows: Math.max(1, rows.length),
    blocks,
    blockSize
  })
  made.operands.forEach(({ columns, data }, i) => {
    if (slots[i] !== undefined) machine.slot(slots[i]).set(spread(data!, columns))
  })
  const cache = cached ? machine.cache(0, 0) : undefined
  cache?.keys.set(made.cacheKeys)
  cache?.values.set(made.cacheValues)
  machine.run({ ...stepOf(made, plan.cacheGroups.length, rows), rows }, 0, 1)
  const operands = made.operands.map(({ rows, columns }, i) =>
    slots[i] === undefined ? undefined : gather(machine.slot(slots[i]), columns).subarray(0, rows * columns)
  )
  return { operands, cache }
}

/** The interpreter adds views, slots and paging to the references, never arithmetic: the same bits. */
describe("ops on the Reference backend", () => {
  for (const op of opNames)
    for (const dtype of dtypes)
      it(`${op} in ${dtype} is its reference`, () => {
        const record = opRecord(op)
        for (const [index, opCase] of casesOf(record).entries()) {
          const made = make(record, opCase, dtype)
          const { operands, cache } = interpret(op, made, dtype)
          runReference(record, made)
          made.operands.forEach(({ name, data }, i) => {
            if (data && operands[i]) expect(distance(operands[i], data), `${name}, case ${index}`).toBe(0)
          })
          if (cache) expect(distance(cache.keys, made.cacheKeys), `keys, case ${index}`).toBe(0)
          if (cache) expect(distance(cache.values, made.cacheValues), `values, case ${index}`).toBe(0)
        }
      })
})
