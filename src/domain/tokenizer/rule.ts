/** One rule of a tokenizer.json (a normalizer, pre-tokenizer, decoder...): its `type` and whatever belongs to it. */
export type Rule = Readonly<Record<string, unknown>>

/** A tokenizer file that says something we cannot obey. The message is the sentence that the user reads. */
export class TokenizerFault extends Error {
  override readonly name = "TokenizerFault"
}

/** Compiles a pattern in Rust's regex syntax to a global, unicode-aware RegExp. Given from outside: the domain has no library. */
export type CompileRegex = (pattern: string) => RegExp

export const isRecord = (value: unknown): value is Rule =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const typeOf = (rule: Rule): string => (typeof rule.type === "string" ? rule.type : "(no type)")
export const textOf = (rule: Rule, key: string, otherwise = ""): string => {
  const value = rule[key]
  return typeof value === "string" ? value : otherwise
}
export const flagOf = (rule: Rule, key: string, otherwise = false): boolean => {
  const value = rule[key]
  return typeof value === "boolean" ? value : otherwise
}
export const countOf = (rule: Rule, key: string, otherwise = 0): number => {
  const value = rule[key]
  return typeof value === "number" ? value : otherwise
}
/** The rules of a Sequence, under the key that its kind uses. */
export const rulesOf = (rule: Rule, key: string): ReadonlyArray<Rule> => {
  const value = rule[key]
  return Array.isArray(value) ? value.filter(isRecord) : []
}

const escapeRegex = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")

/** `{ "String": … }` or `{ "Regex": … }`. */
export const patternOf = (rule: Rule, compile: CompileRegex): RegExp => {
  const pattern = isRecord(rule.pattern) ? rule.pattern : {}
  if (typeof pattern.String === "string") return new RegExp(escapeRegex(pattern.String), "gu")
  if (typeof pattern.Regex !== "string")
    throw new TokenizerFault(`${typeOf(rule)} needs a pattern that is a String or a Regex`)
  try {
    return compile(pattern.Regex)
  } catch (cause) {
    throw new TokenizerFault(`${typeOf(rule)} has the pattern ${pattern.Regex}, which cannot be compiled: ${cause}`)
  }
}
