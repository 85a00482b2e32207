import { type Expr, text } from "../expr.ts"
import { isObject, type Json } from "./schema.ts"

/** One value, as JSON.stringify writes it. */
export const literal = (value: Json): Expr => text(JSON.stringify(value))

export const matchesType = (value: Json, type: string): boolean => {
  switch (type) {
    case "null":
      return value === null
    case "array":
      return Array.isArray(value)
    case "object":
      return isObject(value)
    case "integer":
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}
