import type { CallFormat } from "./formats.ts"
import { isWhite, type Pieces } from "./pieces.ts"

/**
 * The text around calls, character by character. White space that stands alone before the first call, between two, or
 * after the last is layout, and dropped.
 */
export class TextBetween {
  /** What may grow into an opening. */
  private held = ""
  /** White space of which it is not known yet whether it is layout. */
  private white = ""
  private layout = true
  private called = false
  /** Whether the next character is the first of a line, or of the reply, but for white space. */
  private lineStart = true
  private replyStart = true

  /** What an opening may begin with. */
  private readonly firsts: ReadonlySet<string>

  constructor(
    private readonly format: CallFormat,
    private readonly out: Pieces
  ) {
    const bare = format.bare === "nowhere" ? [] : ["{", "["]
    this.firsts = new Set([...bare, ...format.openings.map((opening) => opening[0]!)])
  }

  /** The opening that `c` completes, if it does. */
  push(c: string): string | undefined {
    if (this.held === "" && !this.firsts.has(c)) {
      this.say(c)
      return undefined
    }
    this.held += c
    while (this.held !== "") {
      const { held } = this
      const opens = this.openingAt(held)
      if (opens === "perhaps") return undefined
      this.held = opens === "yes" ? "" : held.slice(1)
      if (opens === "yes") return held
      this.say(held[0]!)
    }
    return undefined
  }

  /** A character that opens nothing. */
  say(c: string): void {
    const white = isWhite(c)
    this.lineStart = c === "\n" || (this.lineStart && white)
    if (white && this.layout) {
      this.white += c
      return
    }
    this.out.say("text", this.white + c)
    this.white = ""
    this.layout = false
    this.replyStart = false
  }

  /** A call has been announced here. */
  afterCall(): void {
    this.called = true
    this.white = ""
    this.layout = true
    this.lineStart = false
    this.replyStart = false
  }

  end(): void {
    for (const c of this.held) this.say(c)
    this.held = ""
    if (!this.called) this.out.say("text", this.white)
    this.white = ""
  }

  private openingAt(held: string): "yes" | "perhaps" | "no" {
    const { openings, bare } = this.format
    const here = bare === "line" ? this.lineStart : bare === "reply" && this.replyStart
    if (here && (held === "{" || held === "[")) return "yes"
    if (openings.includes(held)) return "yes"
    return openings.some((opening) => opening.startsWith(held)) ? "perhaps" : "no"
  }
}
