import * as Effect from "effect/Effect"
import type { OpName } from "../../src/domain/ops/table.ts"
import { makeInterpreter } from "../../src/domain/plan/interpret.ts"
import type { Plan } from "../../src/domain/plan/plan.ts"
import type { Dtype } from "../../src/domain/tensor/dtype.ts"
import { loadAddon, type NativeAddon } from "../../src/layers/backend/addon.ts"
import { loadNative } from "../../src/layers/backend/Cpu.ts"
import { nativeBuilt } from "./nativeBuilt.ts"
import { blockSize, type MadeCase } from "./opCase.ts"
import { cacheSlots, margin, planOf, spread, stepOfCase } from "./opPlan.ts"

/** What an op left behind: its outputs in the record's order, and the whole cache where it has one. */
export interface OpAnswer {
  readonly outputs: ReadonlyArray<Float32Array>
  readonly keys: Float32Array
  readonly values: Float32Array
}

/** Runs one op as a plan of one instruction. */
export interface OpBackend {
  readonly name: string
  /** Interprets the references themselves, so must equal them. */
  readonly exact: boolean
  readonly run: (op: OpName, made: MadeCase, dtype: Dtype) => Effect.Effect<OpAnswer, unknown>
}

const viewsOf = (plan: Plan, made: MadeCase) =>
  made.operands.flatMap(({ output, rows, columns, data }, index) => {
    const operand = plan.instructions[0]!.operands[index]!
    return operand.kind === "view" ? [{ output, rows, columns, data: data!, slot: operand.slot }] : []
  })

const capacityOf = (made: MadeCase) => {
  const blocks = Math.max(1, cacheSlots(made) / blockSize - 1)
  return { maxTokens: made.context.tokens.length, maxSequences: made.context.contextLengths.length, blocks, blockSize }
}

const reference: OpBackend = {
  name: "reference",
  exact: true,
  run: (op, made, dtype) =>
    Effect.sync(() => {
      const plan = planOf(op, made, dtype)
      const weights = plan.weights.map((weight) => (weight.source === "constant" ? weight.values : new Float32Array()))
      const machine = makeInterpreter(plan, weights, {
        ...capacityOf(made),
        slabRows: Math.max(1, made.context.rows.length)
      })
      const views = viewsOf(plan, made)
      for (const { output, slot, data, rows, columns } of views)
        if (!output) machine.slot(slot).set(spread(data, rows, columns, margin))
      const cache = plan.cacheGroups.length > 0 ? machine.cache(0, 0) : undefined
      cache?.keys.set(made.cacheKeys)
      cache?.values.set(made.cacheValues)
      machine.run({ ...stepOfCase(made), rows: made.context.rows }, 0, 1)
      return {
        outputs: views
          .filter(({ output }) => output)
          .map(({ slot, rows, columns }) => machine.slot(slot).slice(0, rows * columns)),
        keys: cache?.keys ?? made.cacheKeys,
        values: cache?.values ?? made.cacheValues
      }
    })
}

/** Slots of all blocks but the null block, which is never written. */
const lentSlots = (made: MadeCase) => Int32Array.from({ length: cacheSlots(made) - blockSize }, (_, i) => blockSize + i)

const cpu = (addon: NativeAddon, isa: string): OpBackend => ({
  name: `cpu ${isa}`,
  exact: false,
  run: (op, made, dtype) =>
    Effect.gen(function* () {
      const plan = planOf(op, made, dtype)
      const request = { plan, tensors: { files: [], tensors: new Map() }, capacity: capacityOf(made) }
      const model = yield* loadNative(addon, request, { isa, numThreads: 2 })
      const views = viewsOf(plan, made)
      for (const { output, slot, data, rows, columns } of views)
        if (!output) model.writeSlot(slot, spread(data, rows, columns, margin))
      const [keys, values] = [made.cacheKeys.slice(), made.cacheValues.slice()]
      const part = (all: Float32Array) => all.subarray((all.length / cacheSlots(made)) * blockSize)
      const cached = plan.cacheGroups.length > 0
      if (cached) model.writeCache(0, 0, lentSlots(made), part(keys).slice(), part(values).slice())
      yield* Effect.async<void, unknown>((resume) =>
        model.step(stepOfCase(made), (error) => resume(error ? Effect.fail(error) : Effect.void))
      )
      const [gotKeys, gotValues] = [part(keys).slice(), part(values).slice()]
      if (cached) model.readCache(0, 0, lentSlots(made), gotKeys, gotValues)
      part(keys).set(gotKeys)
      part(values).set(gotValues)
      return {
        outputs: views.filter(({ output }) => output).map(({ slot, rows }) => model.readSlot(slot, rows)),
        keys,
        values
      }
    }).pipe(Effect.scoped)
})

const families = ["portable", "avx2", "avx512", "avx512bf16"]

const has = (addon: NativeAddon, isa: string) => {
  try {
    return addon.info(isa).isa === isa
  } catch {
    return false
  }
}

/** Every backend that this machine has; on the CPU each instruction family is one. */
export const opBackends = (): ReadonlyArray<OpBackend> => {
  if (!nativeBuilt()) return [reference]
  const addon = Effect.runSync(loadAddon)
  return [reference, ...families.filter((isa) => has(addon, isa)).map((isa) => cpu(addon, isa))]
}
