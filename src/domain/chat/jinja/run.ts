import { TemplateFault } from "./fault.ts"

/** What one rendering may use. A template of a request is a program of a stranger. */
export interface Limits {
  /** Steps of evaluation; 64 characters, or 4 list items, that an operation touches count as one. */
  readonly steps: number
  /** Characters of the output, and of any text on the way to it. */
  readonly characters: number
  /** Macro calls, recursive loops and data within one another. */
  readonly depth: number
}

/** Items of a range at most, as in Jinja's sandbox. */
export const maxRange = 100_000
const charactersPerStep = 64
const itemsPerStep = 4

/** The state of one rendering: where it stands in the source, and what it has used. */
export class Run {
  /** Line of the operation being evaluated. */
  line = 0
  private steps: number
  private depth = 0

  constructor(readonly limits: Limits) {
    this.steps = limits.steps
  }

  fail(message: string): never {
    throw new TemplateFault("failed", message, this.line)
  }

  exceed(what: string): never {
    throw new TemplateFault("limit", what, this.line)
  }

  private exceedSize(): never {
    return this.exceed(`it makes a text or list of more than ${this.limits.characters} characters or items`)
  }

  spend(steps: number): void {
    this.steps -= steps
    // What is no number is no account: it would let everything through from here on.
    if (!(this.steps >= 0)) this.exceed(`it takes more than ${this.limits.steps} steps`)
  }

  /** Accounts for an operation that reads or makes so many items of a list, or single characters. */
  spendOnItems(count: number): void {
    if (!(count <= this.limits.characters)) this.exceedSize()
    this.spend(1 + Math.max(0, count) / itemsPerStep)
  }

  /** Accounts for an operation that reads or makes so many characters. */
  spendOn(length: number): void {
    if (!(length <= this.limits.characters)) this.exceedSize()
    this.spend(1 + Math.max(0, length) / charactersPerStep)
  }

  text(text: string): string {
    this.spendOn(text.length)
    return text
  }

  /** Refuses a text that was put together piece by piece, each accounted for. */
  grown(length: number): void {
    if (length > this.limits.characters) this.spendOn(length)
  }

  /** One level deeper: a macro in a macro, a list in a list. */
  nested<A>(body: () => A): A {
    if (++this.depth > this.limits.depth) this.exceed(`it nests more than ${this.limits.depth} levels deep`)
    try {
      return body()
    } finally {
      this.depth--
    }
  }
}
