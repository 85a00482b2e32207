import { isWhite, Pieces, type Scanner } from "./pieces.ts"

/** How a model sets its reasoning apart: at the beginning of a reply, between two marks. */
export interface ReasoningFormat {
  readonly open: string
  readonly close: string
  /** Whether a reply begins inside, though it may still write the opening mark. */
  readonly inside: boolean
}

const think = { open: "<think>", close: "</think>" }

/** By the names that vLLM gives them; `none` takes no reasoning out of replies. */
export const reasoningFormats = {
  deepseek_r1: { ...think, inside: true },
  qwen3: { ...think, inside: false },
  none: undefined
} as const satisfies Record<string, ReasoningFormat | undefined>

export type ReasoningParser = keyof typeof reasoningFormats

/**
 * How the models of a chat template reason. `qwen3` for all that know the marks: it also finds where the template itself has
 * opened the reasoning, and takes no answer for a thought where a model forgoes it. Undefined for a template that knows no marks.
 */
export const detectReasoningParser = (template: string): ReasoningParser | undefined =>
  template.includes(think.close) ? "qwen3" : undefined

/**
 * The format as one reply begins: the end of its prompt may have opened the reasoning, or closed it; and a message that the
 * reply goes on with, `continued`, may stand before, inside or behind it.
 */
export const reasoningAfter = (
  format: ReasoningFormat,
  prompt: string,
  continued?: string
): ReasoningFormat | undefined => {
  const { open, close } = format
  if (continued === undefined || continued === "") {
    const end = prompt.trimEnd()
    if (end.endsWith(close)) return undefined
    return end.endsWith(open) ? { ...format, inside: true } : format
  }
  const opened = continued.lastIndexOf(open)
  const closed = continued.lastIndexOf(close)
  const inside = opened > closed || (format.inside && closed < 0)
  return inside ? { ...format, inside } : undefined
}

/** `head`: nothing but white space yet; `inside`: reasoning; `after`: white space behind it; `text`: all the rest. */
type State = "head" | "inside" | "after" | "text"

/** Tells reasoning from the answer. White space around either is layout: it is dropped where there was reasoning. */
export class ReasoningScanner implements Scanner {
  private readonly out = new Pieces()
  private state: State = "head"
  /** Whether what comes is reasoning unless the head says otherwise. */
  private readonly inside: boolean
  /** White space that has been seen and not said, then what may grow into a mark. */
  private white = ""
  private held = ""
  private said = false

  constructor(private readonly format: ReasoningFormat) {
    this.inside = format.inside
  }

  push(text: string) {
    for (const c of text) this.feed(c)
    return this.out.take()
  }

  end() {
    const rest = this.white + this.held
    const reasoning = this.state === "inside" || (this.state === "head" && this.inside)
    if (this.held !== "" || (this.state === "head" && !reasoning))
      this.out.say(reasoning ? "reasoning" : "text", reasoning && !this.said ? rest.trimStart() : rest)
    this.white = ""
    this.held = ""
    return this.out.take()
  }

  private feed(c: string): void {
    if (this.state === "text") this.out.say("text", c)
    else if (this.state === "after") this.inAfter(c)
    else if (this.state === "head") this.inHead(c)
    else this.inReasoning(c)
  }

  private inHead(c: string): void {
    const { open, close } = this.format
    if (this.held === "" && isWhite(c)) {
      this.white += c
      return
    }
    this.held += c
    if (this.held === open) {
      this.held = ""
      this.white = ""
      this.state = "inside"
    } else if (!open.startsWith(this.held) && !(this.inside && close.startsWith(this.held))) this.decideHead()
    else if (this.held === close) this.decideHead()
  }

  /** There is no opening mark here. */
  private decideHead(): void {
    const { white, held } = this
    this.held = ""
    this.state = this.inside ? "inside" : "text"
    if (!this.inside) this.out.say("text", white + held)
    else for (const c of held) this.inReasoning(c)
  }

  private inReasoning(c: string): void {
    if (this.state !== "inside") {
      this.feed(c)
      return
    }
    this.held += c
    while (this.held !== "") {
      if (this.held === this.format.close) {
        this.held = ""
        this.white = ""
        this.state = "after"
        return
      }
      if (this.format.close.startsWith(this.held)) return
      this.think(this.held[0]!)
      this.held = this.held.slice(1)
    }
  }

  private think(c: string): void {
    if (isWhite(c)) {
      this.white += c
      return
    }
    this.out.say("reasoning", this.said ? this.white + c : c)
    this.white = ""
    this.said = true
  }

  private inAfter(c: string): void {
    if (isWhite(c)) return
    this.state = "text"
    this.feed(c)
  }
}
