/** A token that is found in the text before the model sees it. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Not beside a word character. */
  readonly singleWord: boolean
  /** Takes the white space on its left. */
  readonly lstrip: boolean
  readonly rstrip: boolean
  /** Is looked for, itself normalized, in the normalized text. */
  readonly normalized: boolean
  readonly special: boolean
}

/**
 * The ids that the reference gives: a token of the model's own vocabulary keeps its id there, any other gets the next behind
 * the vocabulary's count and the added tokens before it, whatever the file says. They differ where the vocabulary has holes.
 */
export const countAdded = (
  tokens: ReadonlyArray<AddedToken>,
  vocabulary: ReadonlyMap<string, number>,
  size = vocabulary.size
): ReadonlyArray<AddedToken> => {
  const known = new Map<string, number>()
  let next = size
  return tokens.map((token) => {
    const id = vocabulary.get(token.content) ?? known.get(token.content) ?? next
    known.set(token.content, id)
    if (id >= next) next = id + 1
    return id === token.id ? token : { ...token, id }
  })
}

/** A stretch of text, or the id of an added token that stood there. */
export type Segment = string | number

interface Node {
  readonly next: Map<number, Node>
  token: AddedToken | undefined
}

const WORD_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u
const WORD_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
const SPACE_END = /\p{White_Space}+$/u
const SPACE_START = /^\p{White_Space}+/u

/** Finds added tokens: leftmost, longest. `spell` gives the form in which a token is looked for. */
export class AddedTokenSplitter {
  private readonly root: Node = { next: new Map(), token: undefined }
  /** Whether a token begins with this UTF-16 unit: most characters are passed by one look here. */
  private readonly starts = new Uint8Array(0x10000)
  private readonly empty: boolean

  constructor(tokens: ReadonlyArray<AddedToken>, spell: (content: string) => string) {
    let count = 0
    for (const token of tokens) {
      const form = spell(token.content)
      if (form === "") continue
      count++
      this.starts[form.charCodeAt(0)] = 1
      let node = this.root
      for (let i = 0; i < form.length; i++) {
        const unit = form.charCodeAt(i)
        let child = node.next.get(unit)
        if (child === undefined) {
          child = { next: new Map(), token: undefined }
          node.next.set(unit, child)
        }
        node = child
      }
      node.token = token
    }
    this.empty = count === 0
  }

  split(text: string): ReadonlyArray<Segment> {
    if (this.empty) return [text]
    const segments: Array<Segment> = []
    let done = 0
    let end = 0
    for (let i = 0; i < text.length; i++) {
      if (this.starts[text.charCodeAt(i)] === 0) continue
      let token: AddedToken | undefined
      let node = this.root.next.get(text.charCodeAt(i))
      for (let j = i + 1; node !== undefined; j++) {
        if (node.token !== undefined) {
          token = node.token
          end = j
        }
        node = j < text.length ? node.next.get(text.charCodeAt(j)) : undefined
      }
      if (token === undefined) continue
      // A match that is refused has still consumed its characters: the reference goes on behind it.
      if (i >= done && (!token.singleWord || standsAlone(text, i, end))) {
        const start = token.lstrip ? Math.max(done, spaceBefore(text, i)) : i
        if (token.rstrip) end += SPACE_START.exec(text.slice(end))?.[0].length ?? 0
        if (start > done) segments.push(text.slice(done, start))
        segments.push(token.id)
        done = end
      }
      i = end - 1
    }
    if (done < text.length) segments.push(text.slice(done))
    return segments
  }
}

/** Windows of a few characters: a regex over all that lies before would cost quadratic time. */
const standsAlone = (text: string, start: number, end: number): boolean =>
  !WORD_END.test(text.slice(Math.max(0, start - 2), start)) && !WORD_START.test(text.slice(end, end + 2))

const spaceBefore = (text: string, start: number): number => {
  let from = start
  while (from > 0 && SPACE_END.test(text[from - 1]!)) from--
  return from
}
