import { Ajv2020 } from "ajv/dist/2020.js"

/** `ownProperties`: a key named "constructor" is there when it is written, not because objects have one. */
const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true, validateSchema: false })
const utf8 = new TextDecoder("utf-8", { fatal: true })

/** Keys of every object of a JSON text, in the order they stand: JSON.parse would drop those that stand twice. */
export const hasRepeatedKey = (text: string): boolean => {
  const open: Array<Set<string> | undefined> = []
  const tokens = text.match(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g) ?? []
  for (const token of tokens) {
    if (token === "{") open.push(new Set())
    else if (token === "[") open.push(undefined)
    else if (token === "}" || token === "]") open.pop()
    else if (token.endsWith(":")) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return true
      keys?.add(key)
    }
  }
  return false
}

const unsound = (value: unknown): string | undefined => {
  if (typeof value === "number" && !Number.isFinite(value)) return "a number that is not finite"
  if (typeof value === "string" && !(value as string & { isWellFormed(): boolean }).isWellFormed())
    return "half of a surrogate pair"
  if (typeof value !== "object" || value === null) return undefined
  return Object.entries(value)
    .flatMap(([key, inner]) => [unsound(key), unsound(inner)])
    .find((problem) => problem !== undefined)
}

/** What is wrong with a text as a value of the schema, judged by others than ourselves; undefined when nothing is. */
export const judgeOf = (schema: object): ((bytes: Uint8Array) => string | undefined) => {
  const validate = ajv.compile(schema)
  return (bytes) => {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (hasRepeatedKey(text)) return "a key that stands twice"
    return unsound(value) ?? (validate(value) ? undefined : JSON.stringify(validate.errors))
  }
}
