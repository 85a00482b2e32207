import { ArgumentsReader } from "./argumentsReader.ts"
import type { CallStep, CallSyntax, Known } from "./callSyntax.ts"
import { JsonSpan, JsonString } from "./json.ts"
import { isWhite, type Pieces } from "./pieces.ts"

const argumentKeys: ReadonlySet<string> = new Set(["arguments", "parameters", "args"])
/** What may stand before the name of a call that no marker announced. */
const headKeys: ReadonlySet<string> = new Set([...argumentKeys, "name", "type", "id", "function"])

type State = "key" | "in key" | "colon" | "value" | "in name" | "in arguments" | "skipping"

/**
 * A call as a JSON object, its opening brace read: `{"name": ..., "arguments" or "parameters": {...}}`, keys in any order, or
 * the same inside "function". Arguments go out as they are written, as soon as the name is known.
 */
export class CallObject implements CallSyntax {
  started = false
  private state: State = "key"
  /** Objects that are open: 2 inside "function". */
  private depth = 1
  private key = ""
  private name: string | undefined
  private string = new JsonString()
  private skipped = new JsonSpan()
  private reader = new ArgumentsReader("{")
  /** Arguments that came before the name. */
  private held = ""
  private complete = false

  constructor(
    private readonly out: Pieces,
    /** Absent: a marker has announced a call, whatever its name. */
    private readonly known: Known | undefined
  ) {}

  push(c: string): CallStep {
    switch (this.state) {
      case "key":
        return this.betweenKeys(c)
      case "in key":
        return this.inKey(c)
      case "colon":
        if (c === ":") this.state = "value"
        return c === ":" || isWhite(c) ? "more" : this.off()
      case "value":
        return isWhite(c) ? "more" : this.value(c)
      case "in name":
        return this.inName(c)
      case "in arguments":
        return this.inArguments(c)
      case "skipping":
        return this.skip(c)
    }
  }

  /** Not the syntax of a call: nothing was, or all has been said of it. */
  private off(): CallStep {
    return this.started ? "again" : "fail"
  }

  private betweenKeys(c: string): CallStep {
    if (isWhite(c) || c === ",") return "more"
    if (c === '"') {
      this.string = new JsonString()
      this.key = ""
      this.state = "in key"
      return "more"
    }
    if (c !== "}") return this.off()
    if (--this.depth > 0) return "more"
    if (this.name === undefined) return "fail"
    if (!this.started) this.begin("{}", true)
    return "done"
  }

  private inKey(c: string): CallStep {
    this.key += this.string.push(c)
    if (!this.string.closed) return "more"
    this.state = "colon"
    const foreign = this.known !== undefined && this.name === undefined && !headKeys.has(this.key)
    return foreign ? "fail" : "more"
  }

  private value(c: string): CallStep {
    const { key } = this
    if (this.name === undefined && c === '"' && (key === "name" || key === "function")) {
      this.string = new JsonString()
      this.key = ""
      this.state = "in name"
      return "more"
    }
    if (key === "name" && this.name === undefined) return "fail"
    if (key === "function" && c === "{") {
      this.depth++
      this.state = "key"
      return "more"
    }
    if (c === "}" || c === ",") {
      this.state = "key"
      return this.push(c)
    }
    if (argumentKeys.has(key) && !this.complete) {
      this.reader = new ArgumentsReader(c)
      this.state = "in arguments"
      return this.inArguments(c)
    }
    this.skipped = new JsonSpan()
    this.state = "skipping"
    return this.skip(c)
  }

  private inName(c: string): CallStep {
    this.key += this.string.push(c)
    if (!this.string.closed) return "more"
    const name = this.key
    if (name === "" || this.known?.(name) === false) return "fail"
    this.name = name
    this.state = "key"
    if (this.held !== "") this.begin(this.held, this.complete)
    return "more"
  }

  private inArguments(c: string): CallStep {
    const step = this.reader.push(c)
    const { text } = this.reader
    if (step === "broken") return this.off()
    this.complete = step !== "inside"
    if (this.name === undefined) this.held += text
    else if (!this.started) this.begin(text, this.complete)
    else this.more(text, this.complete)
    if (step === "inside") return "more"
    this.state = "key"
    return step === "after" ? this.push(c) : "more"
  }

  private skip(c: string): CallStep {
    const step = this.skipped.push(c)
    if (step === "inside") return "more"
    if (step === "broken") return this.off()
    this.state = "key"
    return step === "after" ? this.push(c) : "more"
  }

  private begin(text: string, complete: boolean): void {
    this.started = true
    this.out.startCall(this.name!)
    this.more(text, complete)
  }

  private more(text: string, complete: boolean): void {
    this.out.say("call-arguments", text)
    if (complete) this.out.endCall()
  }
}
