import type { CallStep, CallSyntax } from "./callSyntax.ts"
import { JsonSpan } from "./json.ts"
import { isWhite, type Pieces } from "./pieces.ts"

const nameCharacter = /[\w.\-:/]/
export const beginsName = (c: string): boolean => nameCharacter.test(c)

const idMark = "[CALL_ID]"
const argumentsMark = "[ARGS]"

/** A call as Mistral's newer tokenizers write it: `name{...}`, `name[ARGS]{...}` or `name[CALL_ID]id[ARGS]{...}`. */
export class NamedCall implements CallSyntax {
  started = false
  private name = ""
  private id: string | undefined
  /** The part of a mark that has come. */
  private mark = ""
  private span: JsonSpan | undefined

  constructor(private readonly out: Pieces) {}

  push(c: string): CallStep {
    if (this.span !== undefined) return this.inArguments(this.span, c)
    if (this.mark !== "" || c === "[") return this.inMark(c)
    if (c === "{") return this.begin(c)
    if (isWhite(c)) return "more"
    if (!beginsName(c)) return "fail"
    if (this.id === undefined) this.name += c
    else this.id += c
    return "more"
  }

  private inMark(c: string): CallStep {
    this.mark += c
    if (this.mark === idMark) this.id = ""
    if (this.mark === idMark || this.mark === argumentsMark) this.mark = ""
    return idMark.startsWith(this.mark) || argumentsMark.startsWith(this.mark) ? "more" : "fail"
  }

  private begin(c: string): CallStep {
    if (this.name === "") return "fail"
    this.started = true
    this.span = new JsonSpan()
    this.out.startCall(this.name, this.id)
    return this.inArguments(this.span, c)
  }

  private inArguments(span: JsonSpan, c: string): CallStep {
    const step = span.push(c)
    if (step === "broken" || step === "after") return "again"
    this.out.say("call-arguments", c)
    if (step === "inside") return "more"
    this.out.endCall()
    return "done"
  }
}
