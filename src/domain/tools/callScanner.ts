import { CallObject } from "./callObject.ts"
import type { CallSyntax, Known } from "./callSyntax.ts"
import type { CallFormat } from "./formats.ts"
import { beginsName, NamedCall } from "./namedCall.ts"
import { isWhite, Pieces, type Scanner } from "./pieces.ts"
import { TextBetween } from "./textBetween.ts"

/** `item`: a call may begin; `tail`: one has ended, and its closing, another, or text may follow. */
type State = "text" | "item" | "call" | "tail"

/** Characters of one reply that are read again at most, once a call has failed on them: rubble of markers costs linear time. */
const mostReread = 65_536

/** Tells tool calls from text. What looked like a call and is none comes out as the text that it is. */
export class CallScanner implements Scanner {
  private readonly out = new Pieces()
  private readonly text: TextBetween
  private state: State = "text"
  /** The opening, and what came since it or since the last call: text after all if no call follows. */
  private opening = ""
  private raw = ""
  /** Whether a marker opened this, or JSON by itself. */
  private announced = false
  private list = false
  private call: CallSyntax | undefined
  private closing = ""
  private reread = 0

  constructor(
    private readonly format: CallFormat,
    /** Which names JSON may bear that nothing but its shape calls a call: where it may begin any line, always. */
    private readonly known: Known
  ) {
    this.text = new TextBetween(format, this.out)
  }

  push(text: string) {
    for (const c of text) this.feed(c)
    return this.out.take()
  }

  end() {
    while (this.state !== "text") {
      if (this.state === "tail" || this.call?.started === true) this.state = "text"
      else this.giveBack()
    }
    this.text.end()
    return this.out.take()
  }

  private feed(c: string): void {
    if (this.state === "text") {
      const opening = this.text.push(c)
      if (opening !== undefined) this.open(opening)
      return
    }
    if (this.call?.started === true) {
      this.inCall(c)
      return
    }
    this.raw += c
    if (this.state === "item") this.inItem(c)
    else if (this.state === "call") this.inCall(c)
    else this.inTail(c)
  }

  private open(opening: string): void {
    this.announced = opening !== "{" && opening !== "["
    this.opening = opening
    this.raw = ""
    this.list = false
    this.state = "item"
    if (!this.announced) this.inItem(opening)
  }

  private inItem(c: string): void {
    if (isWhite(c) || (c === "," && this.list)) return
    if (c === "[" && !this.list) this.list = true
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
    const before = call.started
    const step = call.push(c)
    if (call.started && !before) this.text.afterCall()
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
      if (this.closing === closing) this.state = "text"
    } else if (this.closing !== "") this.giveBack()
    else if (c === "{") this.beginObject()
    // Brackets that close what a call stood in, or one too many: part of the call, not of the text.
    else if (c === "}" || c === "]") this.raw = this.raw.slice(0, -1)
    else if (!isWhite(c) && !separators.includes(c)) this.giveBack()
  }

  /** No call follows: the opening, where there is one, is text, and what came after it is read again, or is text too. */
  private giveBack(): void {
    const { opening, raw } = this
    this.call = undefined
    this.opening = ""
    this.state = "text"
    for (const c of opening) this.text.say(c)
    this.reread += raw.length
    const plain = this.reread > mostReread
    for (const c of raw) {
      if (plain) this.text.say(c)
      else this.feed(c)
    }
  }
}
