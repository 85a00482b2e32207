import { InvalidRequest } from "../errors.ts"
import type { ResolvedChoice, Tool } from "./toolChoice.ts"

type JsonSchema = Readonly<Record<string, unknown>>

/** The schema with its references made to start from where it will stand in a greater one. */
const moved = (value: unknown, to: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => moved(item, to))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === "$ref" && typeof item === "string" && item.startsWith("#")
        ? [key, to + item.slice(1)]
        : [key, moved(item, to)]
    )
  )
}

/** Where a tool's parameters stand in the schema of a list of calls. */
const placeOf = (at: number, tools: ReadonlyArray<Tool>): string =>
  tools.length === 1 ? "#/items/properties/parameters" : `#/items/anyOf/${at}/properties/parameters`

const oneCall = ({ name, parameters }: Tool, at: number, tools: ReadonlyArray<Tool>): JsonSchema => ({
  type: "object",
  properties: { name: { type: "string", enum: [name] }, parameters: moved(parameters, placeOf(at, tools)) },
  required: ["name", "parameters"],
  additionalProperties: false
})

/** What a reply must conform to where it must call a tool: a list of calls, or the arguments of the one tool. */
export const schemaOfChoice = (choice: ResolvedChoice, tools: ReadonlyArray<Tool>): JsonSchema | undefined => {
  if (choice.mode === "forced") return choice.tool.parameters
  if (choice.mode !== "required") return undefined
  const calls = tools.map(oneCall)
  return { type: "array", minItems: 1, items: calls.length === 1 ? calls[0] : { anyOf: calls } }
}

/** A fault that was found in such a schema, by the name of the tool's own that it stands in. */
export const faultOfTool = (
  fault: InvalidRequest,
  choice: ResolvedChoice,
  tools: ReadonlyArray<Tool>
): InvalidRequest => {
  const [, place] = /^structuredOutputs\.json(#.*)$/.exec(fault.field) ?? []
  if (place === undefined || choice.mode === "auto" || choice.mode === "none") return fault
  const { given, expected, mend } = fault
  const named = (field: string) => new InvalidRequest({ field, given, expected, mend })
  if (choice.mode === "forced") return named(choice.tool.field + place)
  const at = tools.findIndex((_, index) => `${place}/`.startsWith(`${placeOf(index, tools)}/`))
  return at < 0 ? fault : named(`${tools[at]!.field}#${place.slice(placeOf(at, tools).length)}`)
}
