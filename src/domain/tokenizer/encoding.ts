import { addedTokens, bare, type Template } from "./template.ts"
import { cut, keptLengths, type Truncation } from "./truncate.ts"

/** Ids of a text or pair, with the token type of each, which only BERT-like models look at. */
export interface Encoding {
  readonly ids: ReadonlyArray<number>
  readonly typeIds: ReadonlyArray<number>
  /** Tokens there were before any were cut off, special ones included. */
  readonly fullLength: number
}

export interface EncodingOptions {
  /** The second text of a pair; "" is none, as the reference has it. */
  readonly pair?: string
  readonly addSpecialTokens?: boolean
  readonly truncation?: Truncation
}

/** Special tokens that a text or pair gets: a truncation to fewer cannot be obeyed. */
export const specialCount = (template: Template, pair: boolean): number =>
  addedTokens(pair ? template.pair : template.single)

/** Cuts the texts' ids to size and dresses them in the template. */
export const dress = (
  template: Template,
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number> | undefined,
  { addSpecialTokens = true, truncation }: EncodingOptions
): Encoding => {
  const { single, pair } = addSpecialTokens ? template : bare
  const items = second === undefined ? single : pair
  const special = addedTokens(items)
  const fullLength = special + first.length + (second?.length ?? 0)
  let [a, b] = [first, second ?? []]
  if (truncation !== undefined) {
    const { maxLength, side, strategy } = truncation
    const room = Math.max(0, maxLength - special)
    const [keepA, keepB] = keptLengths(a.length, b.length, room, second === undefined ? "only_first" : strategy)
    a = cut(a, keepA, side)
    b = cut(b, keepB, side)
  }
  const ids: Array<number> = []
  const typeIds: Array<number> = []
  for (const item of items) {
    const part = "ids" in item ? item.ids : item.sequence === "A" ? a : b
    for (const id of part) {
      ids.push(id)
      typeIds.push(item.type)
    }
  }
  return { ids, typeIds, fullLength }
}
