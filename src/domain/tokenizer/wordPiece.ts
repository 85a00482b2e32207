import type { Model } from "./model.ts"
import { countOf, type Rule, TokenizerFault, textOf } from "./rule.ts"

/** Longest match from the left; a word with a part that the vocabulary lacks, or too long, is unknown as a whole. */
export const wordPiece = (rule: Rule, ids: ReadonlyMap<string, number>): Model => {
  const prefix = textOf(rule, "continuing_subword_prefix", "##")
  const longest = countOf(rule, "max_input_chars_per_word", 100)
  const unknown = ids.get(textOf(rule, "unk_token", "[UNK]"))
  if (unknown === undefined) throw new TokenizerFault("model.unk_token is not in the vocabulary")
  return {
    encodePiece(piece, out) {
      const chars = [...piece]
      if (chars.length > longest) {
        out.push(unknown)
        return
      }
      const found: Array<number> = []
      for (let start = 0; start < chars.length; ) {
        let end = chars.length
        let id: number | undefined
        for (; end > start; end--) {
          id = ids.get((start > 0 ? prefix : "") + chars.slice(start, end).join(""))
          if (id !== undefined) break
        }
        if (id === undefined) {
          out.push(unknown)
          return
        }
        found.push(id)
        start = end
      }
      for (const id of found) out.push(id)
    }
  }
}
