import { TemplateFault } from "./fault.ts"
import { fromJson } from "./fromJson.ts"
import { globalsOf } from "./globals.ts"
import { interpreterOf } from "./interpreter.ts"
import { type Library, makersOf, type Node, type Program, type Token } from "./library.ts"
import { type Limits, Run } from "./run.ts"
import { linesOf, type Tag, tagAt, tagsIn } from "./tags.ts"
import { withTestsAsFilters } from "./tokens.ts"

/** What one rendering needs besides the template. */
export interface Rendering {
  /** JSON values by name; the template works on copies. */
  readonly variables: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970: what strftime_now reads, in the host's time zone. */
  readonly now: number
  readonly limits: Limits
}

/** A template that has been read, to be rendered any number of times. */
export interface Template {
  readonly program: Program
  /** The template's text. Throws a TemplateFault, never anything else, and never runs on. */
  readonly render: (rendering: Rendering) => string
}

/** Reads a template. Throws a TemplateFault of kind `syntax` or `limit`. */
export type Compile = (source: string) => Template

/** The library's time to look for tags in white space grows with the square of its length. */
const tooMuchSpace = /(?:^|\S)\s{501}/

/** What the library, or JavaScript, threw: deep recursion, an operation that it refuses. */
const asFault = (fault: unknown, kind: "syntax" | "failed", line: number): unknown => {
  if (fault instanceof TemplateFault || !(fault instanceof Error)) return fault
  if (fault instanceof RangeError) return new TemplateFault("limit", "it nests too deep", line)
  // The parser reads on behind the last token.
  const open = kind === "syntax" && fault instanceof TypeError
  return new TemplateFault(
    kind,
    open ? "a block or a tag is not closed" : fault.message.replace(/^Parser Error: /, ""),
    line
  )
}

const tokensOf = ({ tokenize }: Library, source: string, tags: ReadonlyArray<Tag>): Array<Token> => {
  if (tooMuchSpace.test(source)) throw new TemplateFault("limit", "it has more than 500 blanks in a row", 0)
  try {
    return withTestsAsFilters(tokenize(source, { trim_blocks: true, lstrip_blocks: true }))
  } catch (fault) {
    throw asFault(fault, "syntax", tags.at(-1)?.line ?? 0)
  }
}

const parsed = ({ parse }: Library, tokens: Array<Token>, tags: ReadonlyArray<Tag>): Program => {
  let last = 0
  const place = (key: string | symbol) => (typeof key === "string" && /^\d+$/.test(key) ? Number(key) : 0)
  try {
    return parse(tokens)
  } catch (fault) {
    // Once more, to see how far it reads.
    const watched = new Proxy(tokens, {
      get: (target, key) => {
        last = Math.max(last, place(key))
        return Reflect.get(target, key)
      }
    })
    try {
      parse(watched)
    } catch {}
    throw asFault(fault, "syntax", tagAt(tokens, tags, last)?.line ?? 0)
  }
}

/** Compiles with the library's lexer and parser, renders with its interpreter and our mends of it. */
export const compilerOf = (library: Library): Compile => {
  const make = makersOf(library)
  const interpreter = interpreterOf(library)
  return (given) => {
    const source = given.replace(/\r\n?/g, "\n")
    const tags = tagsIn(source)
    const tokens = tokensOf(library, source, tags)
    const program = parsed(library, tokens, tags)
    let lines: ReadonlyMap<Node, number> | undefined
    const render = ({ variables, now, limits }: Rendering): string => {
      const host = { run: new Run(limits), make }
      try {
        lines ??= linesOf(program, tokens, tags)
        const scope = new library.Environment()
        for (const [name, value] of globalsOf(host, now)) scope.setVariable(name, value)
        for (const [name, value] of Object.entries(variables))
          if (value !== undefined) scope.setVariable(name, fromJson(host, value))
        return interpreter(scope, host, lines).evaluateBlock(program.body, scope).value
      } catch (fault) {
        throw asFault(fault, "failed", host.run.line)
      }
    }
    return { program, render }
  }
}
