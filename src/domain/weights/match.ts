import * as Either from "effect/Either"
import type { Plan, PlanWeight, WeightSegment } from "../plan/plan.ts"
import { type CheckpointTensors, type TensorLocation, type TensorNaming, tensorDtypes } from "./checkpoint.ts"

const noNaming: TensorNaming = { prefixes: [], ignored: [] }

/** The tensor as the plan names it, or under another spelling of the family. */
const find = (
  name: string,
  tensors: CheckpointTensors["tensors"],
  { prefixes }: TensorNaming
): TensorLocation | undefined => {
  const spellings = prefixes
    .filter(({ from }) => name.startsWith(from))
    .map(({ from, to }) => to + name.slice(from.length))
  return [name, ...spellings].map((spelling) => tensors.get(spelling)).find((location) => location !== undefined)
}

/** Rows of `tensor` that all segments of the plan together ask for: its shape is known by the last of them. */
const rowsAskedFor = (plan: Plan): ReadonlyMap<string, number> => {
  const rows = new Map<string, number>()
  for (const weight of plan.weights)
    if (weight.source === "checkpoint")
      for (const { tensor, rowStart, rows: count, tensorRows = 0 } of weight.segments)
        rows.set(tensor, Math.max(rows.get(tensor) ?? 0, rowStart + count, tensorRows))
  return rows
}

const expectedShape = (weight: PlanWeight, segment: WeightSegment, rows: number): ReadonlyArray<number> =>
  weight.kind === "vector" ? [rows] : segment.transposed ? [weight.columns, rows] : [rows, weight.columns]

const shapeText = (shape: ReadonlyArray<number>) => `[${shape.join(", ")}]`

const faults = (location: TensorLocation, expected: ReadonlyArray<number>): ReadonlyArray<string> => {
  const { name, shape, dtype } = location
  return [
    ...(shape.length === expected.length && shape.every((size, axis) => size === expected[axis])
      ? []
      : [`${name} has the shape ${shapeText(shape)}; config.json makes it ${shapeText(expected)}.`]),
    ...(tensorDtypes.some((known) => known === dtype)
      ? []
      : [`${name} is stored as ${dtype}; this engine reads ${tensorDtypes.join(", ")}.`])
  ]
}

const placeOf = ({ file, offset, bytes }: TensorLocation) => `${file} ${offset} ${bytes}`

/**
 * Settles which tensor of the checkpoint every weight of the plan is. Right: the plan with its segments named as the
 * files name them. Left: every tensor that is missing, misshapen, of a type we cannot read, or that nothing asks for.
 */
export const matchWeights = (
  plan: Plan,
  { tensors }: CheckpointTensors
): Either.Either<Plan, ReadonlyArray<string>> => {
  const naming = plan.naming ?? noNaming
  const rows = rowsAskedFor(plan)
  const problems = new Set<string>()
  const used = new Set<string>()
  const settle =
    (weight: PlanWeight) =>
    (segment: WeightSegment): WeightSegment => {
      const location = find(segment.tensor, tensors, naming)
      const expected = expectedShape(weight, segment, rows.get(segment.tensor)!)
      if (location === undefined) {
        problems.add(`${segment.tensor} ${shapeText(expected)} is missing.`)
        return segment
      }
      used.add(location.name)
      for (const fault of faults(location, expected)) problems.add(fault)
      return { ...segment, tensor: location.name }
    }
  const weights = plan.weights.map(
    (weight): PlanWeight =>
      weight.source === "constant" ? weight : { ...weight, segments: weight.segments.map(settle(weight)) }
  )
  const ignored = naming.ignored.map((pattern) => new RegExp(pattern))
  // Files of torch.save name tied weights twice, at one and the same place.
  const places = new Set([...used].map((name) => placeOf(tensors.get(name)!)))
  for (const [name, location] of tensors)
    if (!used.has(name) && !places.has(placeOf(location)) && !ignored.some((pattern) => pattern.test(name)))
      problems.add(`${name} is in the checkpoint, but ${plan.architecture} has no use for it.`)
  return problems.size > 0 ? Either.left([...problems]) : Either.right({ ...plan, weights })
}
