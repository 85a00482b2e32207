import type { OpRecord } from "../ops/op.ts"

/** Extent of one axis: a number, or the name of one that only a step knows ("tokens", "outputs"). */
export type Size = number | string

/** [rows, columns] of an operand; a vector is [1, columns]. `undefined`: the operand is absent. */
export type Shape = readonly [Size, Size]

/** An operand type taken apart: `act[T,G*D]?` is kind "act", axes [["T"], ["G", "D"]], optional. */
export interface ParsedType {
  readonly kind: string
  readonly axes: ReadonlyArray<ReadonlyArray<string>>
  readonly optional: boolean
}

const parsed = new Map<string, ParsedType>()

/** The table has some twenty types; a large model asks for them ten thousand times. */
export const parseType = (type: string): ParsedType => {
  const known = parsed.get(type)
  if (known !== undefined) return known
  const [, kind, axes, mark] = /^(\w+)\[([^\]]+)\](\??)$/.exec(type)!
  const fresh = { kind: kind!, axes: axes!.split(",").map((axis) => axis.split("*")), optional: mark === "?" }
  parsed.set(type, fresh)
  return fresh
}

/** The attributes that are factors of a product, and the dims they name: the first that the record's types speak of. */
const factors: Record<string, ReadonlyArray<string>> = {
  kvHeads: ["G"],
  heads: ["A", "G"],
  groups: ["G"],
  headDim: ["D"],
  valueDim: ["E"]
}

const dimsOfAttributes = (axes: ReadonlyArray<ReadonlyArray<string>>, attributes: Record<string, number>) => {
  const spoken = new Set(axes.flat())
  const dims: Record<string, Size> = {}
  for (const [attribute, names] of Object.entries(factors)) {
    const name = names.find((candidate) => spoken.has(candidate) && !(candidate in dims))
    if (name !== undefined && attributes[attribute] !== undefined) dims[name] = attributes[attribute]
  }
  return dims
}

/** Binds or checks one axis; a sentence when it does not fit, `false` while more than one factor is unknown. */
const bindAxis = (dims: Record<string, Size>, axis: ReadonlyArray<string>, size: Size): string | boolean => {
  const unknown = axis.filter((name) => dims[name] === undefined)
  const known = axis.filter((name) => dims[name] !== undefined)
  if (unknown.length > 1) return false
  if (axis.length === 1) {
    if (unknown.length === 1) dims[axis[0]!] = size
    return dims[axis[0]!] === size || `${axis[0]} is ${dims[axis[0]!]}, but here it is ${size}`
  }
  const product = known.reduce((result, name) => result * Number(dims[name]), 1)
  const rest = Number(size) / product
  if (unknown.length === 0)
    return (
      product === size || `${axis.join("*")} is ${known.map((name) => dims[name]).join("*")}, but here it is ${size}`
    )
  if (!Number.isInteger(rest)) return `${size} is no multiple of ${known.map((n) => `${n} = ${dims[n]}`).join(" * ")}`
  dims[unknown[0]!] = rest
  return true
}

/**
 * Solves the named dims of an op from the shapes of its operands (by operand name) and its attributes.
 * `problems` are sentences about those names; `dims` holds what could be solved.
 */
export const matchShapes = (
  record: OpRecord,
  shapes: Record<string, Shape | undefined>,
  attributes: Record<string, number>
): { readonly dims: Record<string, Size>; readonly problems: ReadonlyArray<string> } => {
  const problems: Array<string> = []
  const types = Object.entries({ ...record.outputs, ...record.inputs }).map(([name, type]) => ({
    name,
    ...parseType(type)
  }))
  const dims = dimsOfAttributes(
    types.flatMap(({ axes }) => axes),
    attributes
  )
  let pending: Array<{ readonly name: string; readonly axis: ReadonlyArray<string>; readonly size: Size }> = []
  for (const { name, axes, optional } of types) {
    const shape = shapes[name]
    if (shape === undefined) {
      if (!optional) problems.push(`${name} is missing`)
      continue
    }
    // A vector's one axis is its columns.
    const sizes = axes.length === 1 ? [shape[1]] : shape
    axes.forEach((axis, index) => {
      pending.push({ name, axis, size: sizes[index]! })
    })
  }
  for (let before = -1; pending.length > 0 && before !== pending.length; ) {
    before = pending.length
    pending = pending.filter(({ name, axis, size }) => {
      const bound = bindAxis(dims, axis, size)
      if (typeof bound === "string") problems.push(`${name}: ${bound}`)
      return bound === false
    })
  }
  for (const { name, axis } of pending) problems.push(`${name}: ${axis.join("*")} cannot be solved`)
  return { dims, problems }
}
