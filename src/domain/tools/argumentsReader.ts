import { JsonSpan, JsonString, type SpanStep } from "./json.ts"

/** The arguments of a call from their first character on: raw JSON, or JSON inside a JSON string, which is unwrapped. */
export class ArgumentsReader {
  /** What the last character made certain. */
  text = ""
  private readonly wrapped: JsonString | undefined
  private readonly span: JsonSpan
  private begun = false
  private empty = true

  constructor(first: string) {
    this.wrapped = first === '"' ? new JsonString() : undefined
    this.span = new JsonSpan()
  }

  push(c: string): SpanStep {
    const { wrapped } = this
    if (wrapped === undefined) {
      const step = this.span.push(c)
      this.text = step === "inside" || step === "last" ? c : ""
      return step
    }
    // The opening quote itself gives nothing.
    this.text = this.begun ? wrapped.push(c) : ""
    this.begun = true
    if (this.text !== "") this.empty = false
    // No arguments at all are written as an empty object.
    if (wrapped.closed && this.empty) this.text = "{}"
    return wrapped.closed ? "last" : "inside"
  }
}
