import { fallbackTokenOfByte } from "./bytes.ts"
import type { Model } from "./model.ts"
import { countOf, flagOf, type Rule, TokenizerFault } from "./rule.ts"

/** How much worse than the worst token an unknown character scores. */
const UNKNOWN_PENALTY = 10

interface Node {
  readonly next: Map<number, Node>
  id: number
}

export interface UnigramVocabulary {
  readonly ids: Map<string, number>
  readonly scores: Float64Array
}

/** The list of [token, score] of a Unigram model; the place in it is the id. */
export const unigramVocabularyOf = (vocab: unknown): UnigramVocabulary => {
  if (!Array.isArray(vocab)) throw new TokenizerFault("model.vocab must be a list of [token, score]")
  const ids = new Map<string, number>()
  const scores = new Float64Array(vocab.length)
  vocab.forEach((entry: unknown, id) => {
    const [token, score] = Array.isArray(entry) ? (entry as ReadonlyArray<unknown>) : []
    if (typeof token !== "string" || typeof score !== "number")
      throw new TokenizerFault(`model.vocab[${id}] is ${JSON.stringify(entry)}, not [token, score]`)
    ids.set(token, id)
    scores[id] = score
  })
  return { ids, scores }
}

/** The most probable cut into tokens (Kudo 2018): the best path to each place, from left to right; linear in the text. */
export const unigram = (rule: Rule, { ids, scores }: UnigramVocabulary): Model => {
  const unknown = countOf(rule, "unk_id", -1)
  const root = trieOf(ids)
  let worst = 0
  for (const score of scores) worst = Math.min(worst, score)
  const unknownScore = worst - UNKNOWN_PENALTY
  const fallback = flagOf(rule, "byte_fallback")
  const emitUnknown = (text: string, out: Array<number>) => {
    const bytes = fallback
      ? Array.from(new TextEncoder().encode(text), (byte) => ids.get(fallbackTokenOfByte(byte)))
      : []
    if (bytes.length > 0 && bytes.every((id) => id !== undefined)) for (const id of bytes) out.push(id)
    else if (unknown >= 0) out.push(unknown)
    else throw new TokenizerFault("the text has a character that the vocabulary lacks, and there is no unk_id")
  }
  return {
    encodePiece(piece, out) {
      const { from, id } = bestPath(piece, root, scores, unknown, unknownScore)
      const cuts: Array<number> = []
      for (let at = piece.length; at > 0; at = from[at]!) cuts.push(at)
      for (let i = cuts.length - 1; i >= 0; i--) {
        const token = id[cuts[i]!]!
        if (token !== unknown) {
          out.push(token)
          continue
        }
        // Neighbouring unknown characters are one token.
        const start = from[cuts[i]!]!
        while (i > 0 && id[cuts[i - 1]!] === unknown) i--
        emitUnknown(piece.slice(start, cuts[i]!), out)
      }
    }
  }
}

const trieOf = (ids: ReadonlyMap<string, number>): Node => {
  const root: Node = { next: new Map(), id: -1 }
  for (const [token, id] of ids) {
    let node = root
    for (let i = 0; i < token.length; i++) {
      let child = node.next.get(token.charCodeAt(i))
      if (child === undefined) {
        child = { next: new Map(), id: -1 }
        node.next.set(token.charCodeAt(i), child)
      }
      node = child
    }
    node.id = id
  }
  return root
}

/** For each place of the text (UTF-16): where the token that ends there best begins, and its id. */
const bestPath = (piece: string, root: Node, scores: Float64Array, unknown: number, unknownScore: number) => {
  const from = new Int32Array(piece.length + 1).fill(-1)
  const id = new Int32Array(piece.length + 1)
  const best = new Float64Array(piece.length + 1)
  const offer = (start: number, end: number, token: number, score: number) => {
    const total = best[start]! + score
    if (from[end]! >= 0 && total <= best[end]!) return
    best[end] = total
    from[end] = start
    id[end] = token
  }
  for (let start = 0, width = 0; start < piece.length; start += width) {
    width = piece.codePointAt(start)! > 0xffff ? 2 : 1
    let single = false
    let node: Node | undefined = root
    for (let end = start; end < piece.length; ) {
      node = node.next.get(piece.charCodeAt(end++))
      if (node === undefined) break
      if (node.id < 0) continue
      offer(start, end, node.id, node.id === unknown ? unknownScore : scores[node.id]!)
      if (end === start + width) single = true
    }
    if (!single) offer(start, start + width, unknown, unknownScore)
  }
  return { from, id }
}
