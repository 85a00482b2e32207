import { isWhite } from "./pieces.ts"

const simpleEscapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }

/** Decodes a JSON string, whose opening quote has been read, character by character. */
export class JsonString {
  closed = false
  /** An escape that has begun, without its backslash; undefined outside of one. */
  private escape: string | undefined

  /** The text that `c` completes: none inside an escape or at the closing quote. */
  push(c: string): string {
    if (this.escape === undefined) {
      if (c === "\\") this.escape = ""
      else if (c === '"') this.closed = true
      else return c
      return ""
    }
    const escape = this.escape + c
    if (escape[0] === "u" && escape.length < 5) {
      this.escape = escape
      return ""
    }
    this.escape = undefined
    if (escape[0] !== "u") return simpleEscapes[escape] ?? escape
    const code = Number.parseInt(escape.slice(1), 16)
    return Number.isNaN(code) ? `\\${escape}` : String.fromCharCode(code)
  }
}

/** `last`: the value ends with this character; `after`: it ended before it; `broken`: no JSON goes on like this. */
export type SpanStep = "inside" | "last" | "after" | "broken"

/** Finds the end of one JSON value, from its first character on. Counts brackets and knows strings; checks nothing else. */
export class JsonSpan {
  private depth = 0
  private inString = false
  private escaped = false

  push(c: string): SpanStep {
    if (this.inString) {
      if (this.escaped) this.escaped = false
      else if (c === "\\") this.escaped = true
      else if (c === '"') {
        this.inString = false
        if (this.depth === 0) return "last"
      }
      return "inside"
    }
    if (c === '"') this.inString = true
    else if (c === "{" || c === "[") this.depth++
    else if (c === "}" || c === "]") {
      if (this.depth === 0) return "after"
      this.depth--
      if (this.depth === 0) return "last"
    } else if (this.depth === 0 && (isWhite(c) || c === ",")) return "after"
    // A marker of the chat's format: the model has given the value up.
    else if (c === "<") return "broken"
    return "inside"
  }
}
