import { encodePlan } from "../../domain/plan/encode.ts"
import type { Plan, PlanWeight } from "../../domain/plan/plan.ts"
import { dtypeCode } from "../../domain/tensor/dtype.ts"
import type { CheckpointTensors } from "../../domain/weights/checkpoint.ts"
import type { Capacity } from "../../services/Backend.ts"
import type { NativeLoadRequest, NativeWeight } from "./addon.ts"

const kinds: Record<PlanWeight["kind"], number> = { linear: 0, table: 1, vector: 2 }
const storage: Record<string, number> = {
  F32: dtypeCode("float32"),
  BF16: dtypeCode("bfloat16"),
  F16: dtypeCode("float16")
}

/** Segments with their place in the files. The plan has been matched: every tensor is there, of a type and shape we read. */
const segments = (weight: PlanWeight & { readonly source: "checkpoint" }, { tensors }: CheckpointTensors) =>
  weight.segments.flatMap(({ tensor, rowStart, rows, transposed }) => {
    const { file, offset, bytes, dtype, shape } = tensors.get(tensor)!
    const [tensorRows, tensorColumns = 1] = shape
    return [file, offset, bytes, storage[dtype]!, tensorRows!, tensorColumns, rowStart, rows, transposed ? 1 : 0]
  })

const nativeWeight = (weight: PlanWeight, tensors: CheckpointTensors): NativeWeight => ({
  name: weight.name,
  kind: kinds[weight.kind],
  dtype: dtypeCode(weight.dtype),
  rows: weight.rows,
  columns: weight.columns,
  constant: weight.source === "constant" ? weight.values : new Float32Array(0),
  segments: Float64Array.from(weight.source === "checkpoint" ? segments(weight, tensors) : [])
})

export const nativeRequest = (
  plan: Plan,
  tensors: CheckpointTensors,
  capacity: Capacity,
  options: { readonly numThreads: number; readonly isa: string }
): NativeLoadRequest => ({
  ...encodePlan(plan),
  weights: plan.weights.map((weight) => nativeWeight(weight, tensors)),
  files: tensors.files,
  ...capacity,
  ...options
})
