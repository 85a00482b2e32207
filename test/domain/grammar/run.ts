import { hasBit } from "../../../src/domain/grammar/bits.ts"
import { compileGrammar } from "../../../src/domain/grammar/compile.ts"
import type { TokenConstraint } from "../../../src/domain/grammar/constraint.ts"
import { GrammarFault } from "../../../src/domain/grammar/fault.ts"
import type { GrammarSource } from "../../../src/domain/grammar/source.ts"
import type { LocalMasks, TokenGrammar } from "../../../src/domain/grammar/tokenGrammar.ts"
import { makeTokenTree, type TokenBytes, type TokenTree } from "../../../src/domain/grammar/vocabulary.ts"

export const finish = <A>(work: Generator<void, A>): A => {
  for (;;) {
    const piece = work.next()
    if (piece.done === true) return piece.value
  }
}

const utf8 = new TextEncoder()

/** Pieces that cut JSON where it hurts: across strings, members, numbers, escapes and characters. */
const pieces = [
  ...['"', '{"', '":', '": ', '",', '", "', '","', '"}', '"}}', '"]', ',"', ', "', "},", "[]", "{}", "}}", "]]", '":"'],
  ...[
    "null",
    "tr",
    "true",
    "false",
    "nul",
    "12",
    "123",
    "-1",
    "0.",
    ".5",
    "e+",
    "E9",
    "00",
    "-0",
    "9007",
    "2024-",
    "T00:"
  ],
  ...["name", '"name', 'name"', '"a":1,"a"', '"a', 'a"', '{"a":', "ab", "abc", "aaaa", "b,", " ", "  ", "\n", "\t"],
  ...["\\u", '\\"', "\\n", "\\\\", "\\ud8", "00e9", "é", "日本", "😀", "\u007f", "x y", ". ", "$", "T", "Z"]
]
const vocabulary: ReadonlyArray<Uint8Array> = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...pieces.map((piece) => utf8.encode(piece)),
  // A second token of the same bytes.
  utf8.encode("name")
]

export interface Vocabulary {
  readonly tree: TokenTree
  readonly bytesOf: TokenBytes
  readonly size: number
  readonly end: number
  readonly shared: LocalMasks
}

export const makeVocabulary = (bytesOf: TokenBytes, size: number, end: number): Vocabulary => ({
  tree: finish(makeTokenTree(size, bytesOf)),
  bytesOf,
  size,
  end,
  shared: new Map()
})

export const small = makeVocabulary((id) => vocabulary[id], vocabulary.length + 1, vocabulary.length)

export const compile = (source: GrammarSource, { tree, shared } = small): TokenGrammar =>
  finish(compileGrammar(source, tree, shared))

export const start = (grammar: TokenGrammar, end = small.end): TokenConstraint =>
  grammar.start({ eosTokenIds: new Set([end]), stopTokenIds: new Set(), ignoreEos: false })

/** Why a source is refused. */
export const refusal = (source: GrammarSource): GrammarFault => {
  try {
    compile(source)
  } catch (fault) {
    if (fault instanceof GrammarFault) return fault
    throw fault
  }
  throw new Error(`${JSON.stringify(source)} is not refused`)
}

export const allowed = (constraint: TokenConstraint): Array<number> => {
  const mask = new Uint32Array(constraint.words).fill(0xffffffff)
  constraint.fillMask(mask, 0)
  const ids: Array<number> = []
  for (let id = 0; id < 32 * mask.length; id++) if (hasBit(mask, id)) ids.push(id)
  return ids
}

/** Whether the grammar takes the whole text, byte by byte, each allowed by the mask; and whether it may end there. */
export const takes = (grammar: TokenGrammar, text: string): boolean => {
  const constraint = start(grammar)
  for (const byte of utf8.encode(text)) {
    if (!allowed(constraint).includes(byte)) return false
    constraint.accept(byte)
  }
  return allowed(constraint).includes(small.end)
}

/** Chooses a token of those allowed; `length` bytes have been written. */
export type Choose = (ids: ReadonlyArray<number>, length: number) => number

export interface Written {
  readonly bytes: Uint8Array
  /** Not cut by length. */
  readonly whole: boolean
}

/** Writes until the end or `most` tokens. */
export const write = (grammar: TokenGrammar, choose: Choose, most: number, vocabulary: Vocabulary = small): Written => {
  const constraint = start(grammar, vocabulary.end)
  const bytes: Array<number> = []
  for (let i = 0; i < most && !constraint.finished; i++) {
    const ids = allowed(constraint)
    if (ids.length === 0) throw new Error(`A dead end behind ${Buffer.from(bytes).toString()}`)
    const id = choose(ids, bytes.length)
    constraint.accept(id)
    if (id !== vocabulary.end) bytes.push(...vocabulary.bytesOf(id)!)
  }
  return { bytes: Uint8Array.from(bytes), whole: constraint.finished }
}
