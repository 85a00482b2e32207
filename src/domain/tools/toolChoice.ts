import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { show } from "../config/show.ts"
import { text } from "../config/types.ts"
import { InvalidRequest } from "../errors.ts"

/** Which tools a reply may, must, or must not call: as OpenAI has it, and a tool's plain name. */
export const ToolChoice = Schema.Union(
  text,
  Schema.Struct({ type: Schema.Literal("function"), function: Schema.Struct({ name: text }) })
).annotations({
  description: '"auto", "none", "required", a tool\'s name, or { type: "function", function: { name } }'
})
export type ToolChoice = typeof ToolChoice.Type

/** A tool as it was offered: flat, or in OpenAI's envelope. */
export interface Tool {
  readonly name: string
  /** The JSON Schema of its arguments, and where in the request it stands. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly field: string
}

/** `forced`: the reply is this tool's arguments. */
export type ResolvedChoice =
  | { readonly mode: "auto" | "none" | "required" }
  | { readonly mode: "forced"; readonly tool: Tool }

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const noParameters = { type: "object", properties: {}, additionalProperties: false }

const refuse = (field: string, given: string, expected: string, mend: string) =>
  Either.left(new InvalidRequest({ field, given, expected, mend }))

const toolOf = (given: unknown, at: number): Either.Either<Tool, InvalidRequest> => {
  const field = `tools[${at}]`
  const shape = '{ type: "function", function: { name, description?, parameters? } }'
  if (!isRecord(given)) return refuse(field, show(given), shape, "Describe each tool by such an object.")
  const enveloped = given.function !== undefined
  const inner = enveloped ? given.function : given
  const path = enveloped ? `${field}.function` : field
  if (!isRecord(inner))
    return refuse(path, show(inner), "an object with a name", "Describe each tool by such an object.")
  const { name, parameters = noParameters } = inner
  if (typeof name !== "string" || name === "")
    return refuse(`${path}.name`, show(name), "a text that is not empty", "Give every tool a name.")
  if (!isRecord(parameters))
    return refuse(`${path}.parameters`, show(parameters), "a JSON Schema: an object", "Leave it out for no arguments.")
  return Either.right({ name, parameters, field: `${path}.parameters` })
}

/** The tools of a request, each with its name; the first that has none is refused. */
export const toolsOf = (given: ReadonlyArray<unknown>): Either.Either<ReadonlyArray<Tool>, InvalidRequest> =>
  Either.all(given.map(toolOf))

/** What `choice` asks of a reply that may use `tools`. Absent: "auto". The three words win over tools of their names. */
export const resolveChoice = (
  choice: ToolChoice | undefined,
  tools: ReadonlyArray<Tool>
): Either.Either<ResolvedChoice, InvalidRequest> => {
  if (choice === undefined || choice === "auto" || choice === "none")
    return Either.right({ mode: tools.length === 0 ? "none" : (choice ?? "auto") })
  if (tools.length === 0)
    return refuse("toolChoice", show(choice), '"auto" or "none", for there are no tools', "Give tools with it.")
  if (choice === "required") return Either.right({ mode: "required" })
  const name = typeof choice === "string" ? choice : choice.function.name
  const tool = tools.find((each) => each.name === name)
  if (tool !== undefined) return Either.right({ mode: "forced", tool })
  const names = tools.map((each) => JSON.stringify(each.name)).join(", ")
  return refuse(
    "toolChoice",
    show(name),
    `"auto", "none", "required", or a tool: ${names}`,
    "Name a tool that is offered."
  )
}
