import { closeSync, openSync, readSync } from "node:fs"
import type { Plan, PlanWeight, WeightSegment } from "../../domain/plan/plan.ts"
import type { CheckpointTensors, TensorDtype, TensorLocation } from "../../domain/weights/checkpoint.ts"
import { expandBytes, roundInPlace, transpose } from "../../domain/weights/expand.ts"

const readTensor = (descriptor: number, { offset, bytes, dtype, name }: TensorLocation): Float32Array => {
  const buffer = new Uint8Array(bytes)
  for (let done = 0; done < bytes; ) {
    const count = readSync(descriptor, buffer, done, bytes - done, offset + done)
    if (count === 0) throw new Error(`the file ends inside ${name}`)
    done += count
  }
  return expandBytes(buffer, dtype as TensorDtype)
}

const segmentValues = (tensor: Float32Array, weight: PlanWeight, segment: WeightSegment, tensorRows: number) => {
  const columns = weight.kind === "vector" ? 1 : weight.columns
  const rows = segment.transposed ? transpose(tensor, tensorRows, columns) : tensor
  return rows.subarray(segment.rowStart * columns, (segment.rowStart + segment.rows) * columns)
}

/** Every weight of a matched plan as float32, rounded to its storage type. Files are read in order, each opened once. */
export const readWeights = (plan: Plan, { files, tensors }: CheckpointTensors): ReadonlyArray<Float32Array> => {
  const descriptors = files.map((file) => openSync(file, "r"))
  try {
    return plan.weights.map((weight) => {
      if (weight.source === "constant") return weight.values
      const values = new Float32Array(weight.rows * weight.columns)
      let at = 0
      for (const segment of weight.segments) {
        const location = tensors.get(segment.tensor)!
        const tensor = readTensor(descriptors[location.file]!, location)
        const part = segmentValues(tensor, weight, segment, location.shape.at(-1)!)
        values.set(part, at)
        at += part.length
      }
      if (weight.kind !== "vector") roundInPlace(values, weight.dtype)
      return values
    })
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}
