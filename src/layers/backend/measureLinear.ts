import * as Effect from "effect/Effect"
import type { StepInput } from "../../domain/batch/step.ts"
import type { DeviceUnavailable, OutOfMemory } from "../../domain/errors.ts"
import { rowBytes } from "../../domain/plan/memory.ts"
import type { Operand, Plan } from "../../domain/plan/plan.ts"
import { type Dtype, dtypeCode } from "../../domain/tensor/dtype.ts"
import type { Backend } from "../../services/Backend.ts"

/** Rows as in a step of the default budget; a weight of 2 to 4 MB, as in a layer, so that caches help as they will. */
const rows = 128
const width = 1024
/** The first run touches its memory for the first time. */
const runs = 8

const view = (slot: number): Operand & { readonly kind: "view" } => ({ kind: "view", slot, column: 0, columns: width })

/** One linear op from slot to slot. */
const linearPlan = (dtype: Dtype): Plan => ({
  architecture: "one linear",
  dtype,
  instructions: [
    {
      op: "linear",
      operands: [view(1), view(0), { kind: "weight", weight: 0 }, { kind: "none" }],
      attributes: { dtype: dtypeCode(dtype) }
    }
  ],
  headStart: 1,
  slots: [0, 1].map((slot) => ({ rows: "tokens", width, offset: slot * rowBytes(width) })),
  tokenBytes: 2 * rowBytes(width),
  outputBytes: 0,
  weights: [
    {
      name: "weight",
      kind: "linear",
      dtype,
      rows: width,
      columns: width,
      source: "constant",
      values: new Float32Array(width * width).fill(2 ** -10)
    }
  ],
  cacheGroups: [],
  logits: view(1),
  vocabSize: width
})

/** One sequence of `rows` tokens, none of which is drawn from. */
const step = (number: number): StepInput => ({
  step: number,
  tokens: new Int32Array(rows),
  positions: Int32Array.from({ length: rows }, (_, at) => at),
  sequenceStarts: Int32Array.of(0, rows),
  contextLengths: Int32Array.of(rows),
  cacheGroups: [],
  copies: new Int32Array(0),
  rows: {
    index: new Int32Array(0),
    target: new Int32Array(0),
    logprobs: new Int32Array(0),
    temperature: new Float32Array(0),
    topK: new Int32Array(0),
    topP: new Float32Array(0),
    minP: new Float32Array(0),
    seed: new Uint32Array(0),
    outputIndex: new Uint32Array(0)
  }
})

/**
 * Floating-point operations a second of a linear op, the best of a few runs; some 20 ms in all. That a device which was
 * found refuses this plan is a defect of ours.
 */
export const measureLinear = (
  load: (typeof Backend.Service)["load"],
  dtype: Dtype
): Effect.Effect<number, DeviceUnavailable | OutOfMemory> =>
  Effect.scoped(
    Effect.gen(function* () {
      const capacity = { maxTokens: rows, maxSequences: 1, blocks: 1, blockSize: 16 }
      const model = yield* load({ plan: linearPlan(dtype), tensors: { files: [], tensors: new Map() }, capacity })
      let best = Number.POSITIVE_INFINITY
      for (let run = 0; run < runs; run++) best = Math.min(best, (yield* model.step(step(run))).elapsed)
      return (2 * rows * width * width) / (Math.max(best, 0.01) / 1000)
    })
  ).pipe(Effect.catchTags({ CheckpointInvalid: Effect.die, DeviceFailed: Effect.die }))
