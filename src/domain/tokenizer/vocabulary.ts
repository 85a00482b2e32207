import type { AddedToken } from "./addedTokens.ts"

/** Tokens and ids of a model, and the added tokens, which win where both have an id. */
export class Vocabulary {
  /** Ids run below this. */
  readonly size: number
  readonly specialIds: ReadonlySet<number>
  private readonly tokens: Array<string | undefined> = []
  private readonly addedIds = new Map<string, number>()
  private readonly addedTexts = new Map<number, string>()

  /** `ids` is the model's map from token to id: it is kept, not copied. */
  constructor(
    readonly ids: ReadonlyMap<string, number>,
    readonly added: ReadonlyArray<AddedToken>
  ) {
    const tokens = this.tokens
    let size = 0
    for (const [token, id] of ids) {
      tokens[id] = token
      if (id >= size) size = id + 1
    }
    const special = new Set<number>()
    for (const token of added) {
      tokens[token.id] = token.content
      this.addedIds.set(token.content, token.id)
      this.addedTexts.set(token.id, token.content)
      if (token.special) special.add(token.id)
      if (token.id >= size) size = token.id + 1
    }
    this.size = size
    this.specialIds = special
  }

  tokenOf(id: number): string | undefined {
    return this.tokens[id]
  }

  idOf(token: string): number | undefined {
    return this.addedIds.get(token) ?? this.ids.get(token)
  }

  /** The text of an added token; undefined for the model's own. */
  addedTextOf(id: number): string | undefined {
    return this.addedTexts.get(id)
  }
}
