import { CallObject } from "./callObject.ts"
import type { CallSyntax, Known } from "./callSyntax.ts"
import type { CallFormat } from "./formats.ts"
import { beginsName, NamedCall } from "./namedCall.ts"
import { isWhite, Pieces, type Scanner } from "./pieces.ts"

/** `item`: a call may begin; `tail`: one has ended, and its closing, another, or text may follow. */
type State = "text" | "item" | "call" | "tail"

/**
 * Tells tool calls from text. White space between calls is layout and dropped; so is what stands before the first one,
 * if there is nothing else. What looked like a call and is none comes out as the text that it is.
 */
export class CallScanner implements Scanner {
  private readonly out = new Pieces()
  private state: State = "text"
  /** In text: what may grow into an opening. */
  private held = ""
  /** In text: white space that a call would make layout. */
  private white = ""
  private layout = true
  private called = false
  /** Whether the next character is the first of a line, or of the reply, but for white space. */
  private lineStart = true
  private replyStart = true
  /** Outside of text: the opening, and what came since it or since the last call; text after all if no call follows. */
  private opening = ""
  private raw = ""
  private announced = false
  private list = false
  private call: CallSyntax | undefined
  private closing = ""

  constructor(
    private readonly format: CallFormat,
    /** Which names JSON may bear that nothing but its shape calls a call: where it may begin any line, always. */
    private readonly known: Known
  ) {}

  push(text: string) {
    for (const c of text) this.feed(c)
    return this.out.take()
  }

  end() {
    while (this.state !== "text") {
      if (this.state === "tail" || this.call?.started === true) this.toText("")
      else this.giveBack()
    }
    for (const c of this.held) this.say(c)
    this.held = ""
    if (!this.called) this.out.add({ type: "text", text: this.white })
    return this.out.take()
  }

  private feed(c: string): void {
    if (this.state === "text") {
      this.inText(c)
      return
    }
    this.raw += c
    if (this.state === "item") this.inItem(c)
    else if (this.state === "call") this.inCall(c)
    else this.inTail(c)
  }

  private inText(c: string): void {
    this.held += c
    while (this.held !== "") {
      const opening = this.openingAt(this.held)
      if (opening === "perhaps") return
      if (opening === "yes") {
        this.open()
        return
      }
      const first = this.held[0]!
      this.held = this.held.slice(1)
      this.say(first)
    }
  }

  private openingAt(held: string): "yes" | "perhaps" | "no" {
    const { openings, bare } = this.format
    const here = bare === "line" ? this.lineStart : bare === "reply" && this.replyStart
    if (here && (held === "{" || held === "[")) return "yes"
    if (openings.includes(held)) return "yes"
    return openings.some((opening) => opening.startsWith(held)) ? "perhaps" : "no"
  }

  /** A character of the text. */
  private say(c: string): void {
    const white = isWhite(c)
    this.lineStart = c === "\n" || (this.lineStart && white)
    if (white && this.layout) {
      this.white += c
      return
    }
    this.out.add({ type: "text", text: this.white + c })
    this.white = ""
    this.layout = false
    this.replyStart = false
  }

  private open(): void {
    const { held } = this
    this.announced = held !== "{" && held !== "["
    this.opening = held
    this.held = ""
    this.raw = ""
    this.list = false
    this.state = "item"
    if (!this.announced) this.inItem(held)
  }

  private inItem(c: string): void {
    if (isWhite(c) || (c === "," && this.list)) return
    if (c === "[" && !this.list) this.list = true
    else if (c === "]" && this.list) this.state = "tail"
    else if (c === "{") this.beginObject()
    else if (this.format.named === true && this.announced && !this.list && beginsName(c)) {
      this.begin(new NamedCall(this.out))
      this.inCall(c)
    } else this.giveBack()
  }

  private beginObject(): void {
    const anyName = this.announced && this.format.bare !== "line"
    this.begin(new CallObject(this.out, anyName ? undefined : this.known))
  }

  private begin(call: CallSyntax): void {
    this.call = call
    this.state = "call"
  }

  private inCall(c: string): void {
    const call = this.call!
    const step = call.push(c)
    if (call.started) {
      this.called = true
      this.white = ""
      this.layout = true
      this.lineStart = false
      this.replyStart = false
    }
    if (step === "more") return
    if (step === "fail") {
      this.giveBack()
      return
    }
    this.call = undefined
    this.opening = ""
    this.raw = step === "again" ? c : ""
    this.closing = ""
    this.state = "tail"
    if (step === "again") this.inTail(c)
  }

  private inTail(c: string): void {
    const { closing = "", separators } = this.format
    if (this.announced && closing.startsWith(this.closing + c)) {
      this.closing += c
      if (this.closing === closing) this.toText("")
    } else if (this.closing !== "") this.toText(this.raw)
    else if (c === "{") this.beginObject()
    // Brackets that close what a call stood in, or one too many: part of the call, not of the text.
    else if (c === "}" || c === "]") this.raw = this.raw.slice(0, -1)
    else if (!isWhite(c) && !separators.includes(c)) this.toText(this.raw)
  }

  /** There is no call: the opening is text, and what came after it is read again. */
  private giveBack(): void {
    const { opening, raw } = this
    this.opening = ""
    this.call = undefined
    this.state = "text"
    for (const c of opening) this.say(c)
    for (const c of raw) this.feed(c)
  }

  /** Calls are over; `rest` is what came after them. */
  private toText(rest: string): void {
    this.call = undefined
    this.state = "text"
    for (const c of rest) this.feed(c)
  }
}
