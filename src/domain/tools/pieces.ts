/** What a reply turns out to consist of, in order. Adjacent texts of one kind may come in any number of pieces. */
export type Piece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  /** `id`: the call's own, where the model wrote one. */
  | { readonly type: "call-start"; readonly name: string; readonly id?: string }
  | { readonly type: "call-arguments"; readonly text: string }
  /** The arguments are whole. A call that is cut off has no end. */
  | { readonly type: "call-end" }

/**
 * Reads a text that comes in pieces. What it says depends on the characters alone, never on where the pieces are cut, and
 * it holds back only what a marker could still claim. One per output sequence, synchronous.
 */
export interface Scanner {
  push(text: string): ReadonlyArray<Piece>
  /** The text ends here: what was held back is decided. */
  end(): ReadonlyArray<Piece>
}

/** Gathers what one `push` brings; neighbours of one kind become one. */
export class Pieces {
  private list: Array<Piece> = []

  add(piece: Piece): void {
    const last = this.list.at(-1)
    if ("text" in piece) {
      if (piece.text === "") return
      if (last !== undefined && last.type === piece.type) {
        this.list[this.list.length - 1] = { type: piece.type, text: last.text + piece.text }
        return
      }
    }
    this.list.push(piece)
  }

  take(): ReadonlyArray<Piece> {
    const { list } = this
    this.list = []
    return list
  }
}

export const isWhite = (c: string): boolean => c === " " || c === "\n" || c === "\t" || c === "\r"
