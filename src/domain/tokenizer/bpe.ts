import { charOfByte, fallbackTokenOfByte } from "./bytes.ts"
import { mergeInPlace } from "./merge.ts"
import { mergesOf } from "./merges.ts"
import type { Model } from "./model.ts"
import { flagOf, type Rule, textOf } from "./rule.ts"

/** Longer pieces are rare, and not worth the memory. */
const CACHED_LENGTH = 48
const CACHED_PIECES = 0x10000

/**
 * Byte-pair encoding over integers. `byteLevel`: the symbols to begin with are the UTF-8 bytes of the piece, spelled in
 * the byte alphabet; else its characters, with `<0xE4>` fallback where the vocabulary has it.
 */
export const bpe = (rule: Rule, ids: ReadonlyMap<string, number>, byteLevel: boolean): Model => {
  const table = mergesOf(rule, ids)
  const symbols = byteLevel ? byteSymbols(ids, unknownId(rule, ids)) : charSymbols(rule, ids)
  const whole = flagOf(rule, "ignore_merges")
  const spell = byteLevel ? spelling(ids) : (piece: string) => ids.get(piece)
  let work = new Int32Array(256)
  let ranks = new Int32Array(256)

  const tokenize = (piece: string): ReadonlyArray<number> => {
    const known = whole ? spell(piece) : undefined
    if (known !== undefined) return [known]
    // A UTF-16 unit has at most three bytes; the affixes add no symbols.
    if (work.length < piece.length * 3) {
      work = new Int32Array(piece.length * 3)
      ranks = new Int32Array(piece.length * 3)
    }
    const count = mergeInPlace(table, work, ranks, symbols(piece, work))
    const result = Array.from(work.subarray(0, count))
    if (work.length > 0x10000) {
      work = new Int32Array(256)
      ranks = new Int32Array(256)
    }
    return result
  }

  const cache = new Map<string, ReadonlyArray<number>>()
  return {
    encodePiece(piece, out) {
      let tokens = cache.get(piece)
      if (tokens === undefined) {
        tokens = tokenize(piece)
        if (piece.length <= CACHED_LENGTH) {
          if (cache.size >= CACHED_PIECES) cache.clear()
          cache.set(piece, tokens)
        }
      }
      for (let i = 0; i < tokens.length; i++) out.push(tokens[i]!)
    }
  }
}

/** Fills `work` with the ids of a piece's first symbols and says how many. */
type Symbols = (piece: string, work: Int32Array) => number

const unknownId = (rule: Rule, ids: ReadonlyMap<string, number>): number => ids.get(textOf(rule, "unk_token")) ?? -1

const utf8 = new TextEncoder()

const byteSymbols = (ids: ReadonlyMap<string, number>, unknown: number): Symbols => {
  const idOfByte = Int32Array.from(charOfByte, (char) => ids.get(char) ?? unknown)
  return (piece, work) => {
    let count = 0
    for (let i = 0; i < piece.length; i++) {
      const unit = piece.charCodeAt(i)
      if (unit >= 0x80) return bytesOf(utf8.encode(piece), work)
      const id = idOfByte[unit]!
      if (id >= 0) work[count++] = id
    }
    return count
  }
  function bytesOf(bytes: Uint8Array, work: Int32Array): number {
    let count = 0
    for (const byte of bytes) {
      const id = idOfByte[byte]!
      if (id >= 0) work[count++] = id
    }
    return count
  }
}

/** Text -> id of the token that spells exactly this text: compared by bytes. */
const spelling = (ids: ReadonlyMap<string, number>) => (piece: string) => {
  let token = ""
  for (const byte of utf8.encode(piece)) token += charOfByte[byte]
  return ids.get(token)
}

const charSymbols = (rule: Rule, ids: ReadonlyMap<string, number>): Symbols => {
  const unknown = unknownId(rule, ids)
  const fuse = flagOf(rule, "fuse_unk")
  const fallback = flagOf(rule, "byte_fallback")
  const prefix = textOf(rule, "continuing_subword_prefix")
  const suffix = textOf(rule, "end_of_word_suffix")
  const idOfByte = Int32Array.from({ length: 256 }, (_, byte) => ids.get(fallbackTokenOfByte(byte)) ?? -1)
  return (piece, work) => {
    let count = 0
    let wasUnknown = false
    for (let i = 0, length = 0; i < piece.length; i += length) {
      const char = String.fromCodePoint(piece.codePointAt(i)!)
      length = char.length
      const form = (i > 0 ? prefix : "") + char + (i + length === piece.length ? suffix : "")
      const id = ids.get(form)
      if (id === undefined && fallback) {
        const bytes = utf8.encode(form)
        if (bytes.every((byte) => idOfByte[byte]! >= 0)) {
          for (const byte of bytes) work[count++] = idOfByte[byte]!
          wasUnknown = false
          continue
        }
      }
      if (id !== undefined) work[count++] = id
      else if (unknown >= 0 && !(fuse && wasUnknown)) work[count++] = unknown
      wasUnknown = id === undefined
    }
    return count
  }
}
