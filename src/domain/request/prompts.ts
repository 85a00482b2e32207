import { InvalidRequest } from "../errors.ts"

export type Prompt =
  | string
  | ReadonlyArray<number>
  | { readonly prompt: string }
  | { readonly promptTokenIds: ReadonlyArray<number> }

/** One prompt, or several. An array of numbers is one. */
export type Prompts = Prompt | ReadonlyArray<Prompt>

const refused = (field: string, given: string) =>
  new InvalidRequest({
    field,
    given,
    expected: "a text, an array of token ids, { prompt } or { promptTokenIds }",
    mend: "Give one of these, or an array of them."
  })

const isNumbers = (value: ReadonlyArray<unknown>): value is ReadonlyArray<number> => typeof value[0] === "number"

const fieldsOf = (given: unknown, field: string): Record<string, unknown> | InvalidRequest => {
  if (typeof given === "string") return { prompt: given }
  if (Array.isArray(given)) return { promptTokenIds: given }
  if (typeof given === "object" && given !== null) return { ...given }
  return refused(field, given === null ? "null" : typeof given)
}

/** The prompts as fields of requests; `many` says whether an array was given. */
export const listPrompts = (
  prompts: unknown
): { readonly many: boolean; readonly list: ReadonlyArray<Record<string, unknown>> } | InvalidRequest => {
  const many = Array.isArray(prompts) && !isNumbers(prompts)
  const list: Array<Record<string, unknown>> = []
  for (const [at, prompt] of (many ? prompts : [prompts]).entries()) {
    const fields = fieldsOf(prompt, many ? `prompts[${at}]` : "prompt")
    if (fields instanceof InvalidRequest) return fields
    list.push(fields)
  }
  return { many, list }
}

/** One value for all, or as many as there are prompts. */
export const spread = <A>(
  name: string,
  given: A | ReadonlyArray<A>,
  count: number
): ReadonlyArray<A> | InvalidRequest => {
  if (!Array.isArray(given)) return new Array<A>(count).fill(given as A)
  if (given.length === count) return given
  return new InvalidRequest({
    field: name,
    given: `${given.length} of them`,
    expected: `one for all, or one for each of the ${count} prompts`,
    mend: "Give as many as there are prompts."
  })
}
