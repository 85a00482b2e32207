import { PairTable } from "./pairTable.ts"
import { type Rule, TokenizerFault, textOf } from "./rule.ts"

/**
 * The pair table of a model's `merges`: strings "a b" or pairs. A start of the process reads tens of thousands of them, so
 * the merged token is first looked for at the id behind the last one: most files list merges in the order of their ids.
 */
export const mergesOf = (rule: Rule, ids: ReadonlyMap<string, number>): PairTable => {
  const merges = rule.merges
  if (!Array.isArray(merges)) throw new TokenizerFault("model.merges must be a list")
  const prefix = textOf(rule, "continuing_subword_prefix").length
  const tokens: Array<string> = []
  for (const [token, id] of ids) tokens[id] = token
  const table = new PairTable(merges.length)
  let last = -1
  for (let rank = 0; rank < merges.length; rank++) {
    const [left, right] = pairOf(merges[rank], rank)
    const tail = prefix === 0 ? right : right.slice(prefix)
    const guess = tokens[last + 1]
    const merged = guess !== undefined && isJoin(guess, left, tail) ? last + 1 : ids.get(left + tail)
    const a = ids.get(left)
    const b = ids.get(right)
    if (a === undefined || b === undefined || merged === undefined)
      throw new TokenizerFault(
        `model.merges[${rank}] joins ${left} and ${right}, but the vocabulary lacks one of them or the result`
      )
    table.set(a, b, rank, merged)
    last = merged
  }
  return table
}

const isJoin = (token: string, left: string, right: string): boolean =>
  token.length === left.length + right.length && token.startsWith(left) && token.endsWith(right)

const pairOf = (merge: unknown, rank: number): readonly [string, string] => {
  if (typeof merge === "string") {
    const space = merge.indexOf(" ")
    if (space > 0 && space === merge.lastIndexOf(" ")) return [merge.slice(0, space), merge.slice(space + 1)]
  } else if (Array.isArray(merge) && merge.length === 2) {
    const [left, right] = merge as ReadonlyArray<unknown>
    if (typeof left === "string" && typeof right === "string") return [left, right]
  }
  throw new TokenizerFault(`model.merges[${rank}] is ${JSON.stringify(merge)}, not a pair of tokens`)
}
