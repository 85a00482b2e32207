import { JsonSpan } from "./json.ts"
import { isWhite, Pieces, type Scanner } from "./pieces.ts"

/** A reply that is one tool's arguments and nothing else. */
export class ForcedScanner implements Scanner {
  private readonly out = new Pieces()
  private span: JsonSpan | undefined
  private ended = false

  constructor(private readonly name: string) {}

  push(text: string) {
    for (const c of text) this.feed(c)
    return this.out.take()
  }

  end() {
    return this.out.take()
  }

  private feed(c: string): void {
    if (this.ended || (this.span === undefined && isWhite(c))) return
    if (this.span === undefined) {
      this.span = new JsonSpan()
      this.out.startCall(this.name)
    }
    const step = this.span.push(c)
    this.ended = step !== "inside"
    if (step === "inside" || step === "last") this.out.say("call-arguments", c)
    if (step === "last") this.out.endCall()
  }
}
