import type { Given } from "./arguments.ts"
import type { Run } from "./run.ts"

/** A name or key that is not there. Printed it is empty; used it fails with `problem`, as in Jinja. */
export class Undefined {
  constructor(readonly problem: string) {}
}

/** A float without fraction (`2.0`), which JavaScript's number cannot tell from an int. Every other number stands for itself. */
export class Float {
  constructor(readonly value: number) {}
}

/** Prints with parentheses; otherwise a list. */
export class Tuple extends Array<Value> {
  static pair(first: Value, second: Value): Tuple {
    const pair = new Tuple()
    pair.push(first, second)
    return pair
  }
}

/** A value with named attributes of its own: a namespace, `loop`, a group. */
export abstract class Thing {
  abstract readonly typeName: string
  abstract attribute(name: string): Value | undefined
}

export class Namespace extends Thing {
  readonly typeName = "Namespace"
  constructor(readonly attributes: Map<string, Value>) {
    super()
  }
  attribute(name: string): Value | undefined {
    return this.attributes.get(name)
  }
}

export class Callable {
  constructor(
    readonly name: string,
    readonly call: (run: Run, given: Given) => Value
  ) {}
}

export interface List extends Array<Value> {}
export interface Dict extends Map<Key, Value> {}
export type Key = string | number | boolean | null

/** What a template computes with: Python's values. Whole numbers are ints, others floats. */
export type Value = string | number | boolean | null | Float | Undefined | List | Dict | Thing | Callable

/** The first that is there, where null is a value like any other. */
export const present = (...values: ReadonlyArray<Value | undefined>): Value | undefined =>
  values.find((value) => value !== undefined)

export const floatOf = (value: number): number | Float => (Number.isInteger(value) ? new Float(value) : value)
export const isFloat = (value: Value): boolean =>
  value instanceof Float || (typeof value === "number" && !Number.isInteger(value))

/** The number that a value counts as; booleans are 0 and 1. */
export const numberOf = (value: Value | undefined): number | undefined => {
  if (typeof value === "number") return value
  if (typeof value === "boolean") return value ? 1 : 0
  return value instanceof Float ? value.value : undefined
}

export const truthy = (value: Value): boolean => {
  if (value === null || value instanceof Undefined) return false
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  if (value instanceof Float) return value.value !== 0
  return typeof value === "object" ? true : Boolean(value)
}

/** Python's name of a value's type, for messages. */
export const typeName = (value: Value): string => {
  if (value === null) return "NoneType"
  if (typeof value === "string") return "str"
  if (typeof value === "boolean") return "bool"
  if (isFloat(value)) return "float"
  if (typeof value === "number") return "int"
  if (value instanceof Undefined) return "Undefined"
  if (value instanceof Tuple) return "tuple"
  if (Array.isArray(value)) return "list"
  if (value instanceof Map) return "dict"
  return value instanceof Callable ? "function" : (value as Thing).typeName
}
