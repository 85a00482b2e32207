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

type TextType = Extract<Piece, { readonly text: string }>["type"]

/** Gathers what one `push` brings; neighbours of one kind become one. */
export class Pieces {
  private list: Array<Piece> = []
  /** The last of the list, as long as it may grow: called for every character, it makes nothing new. */
  private last: { readonly type: TextType; text: string } | undefined

  say(type: TextType, text: string): void {
    if (text === "") return
    if (this.last?.type === type) {
      this.last.text += text
      return
    }
    this.last = { type, text }
    this.list.push(this.last)
  }

  startCall(name: string, id?: string): void {
    this.last = undefined
    this.list.push({ type: "call-start", name, ...(id === undefined ? {} : { id }) })
  }

  endCall(): void {
    this.last = undefined
    this.list.push({ type: "call-end" })
  }

  take(): ReadonlyArray<Piece> {
    const { list } = this
    this.list = []
    this.last = undefined
    return list
  }
}

export const isWhite = (c: string): boolean => c === " " || c === "\n" || c === "\t" || c === "\r"
