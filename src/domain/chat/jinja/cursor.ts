import { TemplateFault } from "./fault.ts"
import type { Token } from "./lexer.ts"

/** Blocks and brackets within one another at most: the parser and the evaluator call themselves for each. */
const maxNesting = 200

/** A place in the tokens. */
export class Cursor {
  private at = 0
  private depth = 0
  /** Names read so far, in order: a macro finds its `kwargs`, `varargs` and `caller` among those of its body. */
  readonly names: Array<string> = []

  constructor(private readonly tokens: ReadonlyArray<Token>) {}

  get current(): Token {
    return this.tokens[this.at]!
  }

  get following(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)]!
  }

  next(): Token {
    const token = this.current
    if (token.type !== "end") this.at++
    return token
  }

  is(type: Token["type"], ...values: ReadonlyArray<string>): boolean {
    return this.current.type === type && (values.length === 0 || values.includes(this.current.value))
  }

  isOperator(...values: ReadonlyArray<string>): boolean {
    return this.is("operator", ...values)
  }

  isName(...values: ReadonlyArray<string>): boolean {
    return this.is("name", ...values)
  }

  /** Takes the token when it is this one. */
  skip(type: Token["type"], value: string): boolean {
    if (!this.is(type, value)) return false
    this.next()
    return true
  }

  expect(type: Token["type"], value?: string): Token {
    if (value === undefined ? this.is(type) : this.is(type, value)) return this.next()
    return this.fail(`expected ${value === undefined ? type : `'${value}'`}, found ${this.describe()}`)
  }

  describe(): string {
    const { type, value } = this.current
    if (type === "end") return "the end of the template"
    return type === "text" ? "text" : `'${value}'`
  }

  fail(message: string, line = this.current.line): never {
    throw new TemplateFault("syntax", message, line)
  }

  nested<A>(body: () => A): A {
    if (++this.depth > maxNesting) this.fail(`it nests more than ${maxNesting} levels deep`)
    const result = body()
    this.depth--
    return result
  }
}
