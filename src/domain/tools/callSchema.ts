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

const oneCall = ({ name, parameters }: Tool, at: number, count: number): JsonSchema => {
  const at_ = count === 1 ? "#/items/properties/parameters" : `#/items/anyOf/${at}/properties/parameters`
  return {
    type: "object",
    properties: { name: { type: "string", enum: [name] }, parameters: moved(parameters, at_) },
    required: ["name", "parameters"],
    additionalProperties: false
  }
}

/** What a reply must conform to where it must call a tool: a list of calls, or the arguments of the one tool. */
export const schemaOfChoice = (choice: ResolvedChoice, tools: ReadonlyArray<Tool>): JsonSchema | undefined => {
  if (choice.mode === "forced") return choice.tool.parameters
  if (choice.mode !== "required") return undefined
  const calls = tools.map((tool, at) => oneCall(tool, at, tools.length))
  return { type: "array", minItems: 1, items: calls.length === 1 ? calls[0] : { anyOf: calls } }
}
