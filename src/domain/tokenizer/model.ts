import { type CompileRegex, type Rule, TokenizerFault } from "./rule.ts"

export type { CompileRegex, Rule }

/** Turns one piece of text into ids, appended to `out`. */
export interface Model {
  readonly encodePiece: (piece: string, out: Array<number>) => void
}

/** A map from token to id out of the `vocab` of a model. */
export const vocabularyOf = (vocab: unknown): Map<string, number> => {
  if (typeof vocab !== "object" || vocab === null || Array.isArray(vocab))
    throw new TokenizerFault("model.vocab must be an object from token to id")
  const ids = new Map<string, number>()
  const entries = vocab as Readonly<Record<string, unknown>>
  for (const token in entries) {
    const id = entries[token]
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > 0x7ffffff)
      throw new TokenizerFault(
        `model.vocab gives ${JSON.stringify(token)} the id ${JSON.stringify(id)}, not a whole number from 0`
      )
    ids.set(token, id)
  }
  return ids
}
