import type { Block } from "./ast.ts"
import { Cursor } from "./cursor.ts"
import { executeBlock } from "./execute.ts"
import { TemplateFault } from "./fault.ts"
import { fromJson } from "./fromJson.ts"
import { globalScope } from "./globals.ts"
import { tokenise } from "./lexer.ts"
import { parseBlock } from "./parseStatement.ts"
import { type Limits, Run } from "./run.ts"
import { Scope } from "./scope.ts"

/** A template that has been read: an immutable tree, to be rendered any number of times. */
export interface Template {
  readonly source: string
  readonly body: Block
}

/** What deep recursion in JavaScript ends in: the caps on depth come first, unless the caller's own stack is deep. */
const asFault = (fault: unknown, line: number): unknown =>
  fault instanceof RangeError ? new TemplateFault("limit", "it nests too deep", line) : fault

/** Reads a template. Throws a TemplateFault of kind `syntax` that names the line. */
export const compile = (source: string): Template => {
  const cursor = new Cursor(tokenise(source))
  try {
    return { source, body: parseBlock(cursor) }
  } catch (fault) {
    throw asFault(fault, cursor.current.line)
  }
}

/** What one rendering needs besides the template. */
export interface Rendering {
  /** JSON values by name; the template works on copies. */
  readonly variables: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970: what strftime_now reads, in the host's time zone. */
  readonly now: number
  readonly limits: Limits
}

/** The template's text. Throws a TemplateFault, never anything else, and never runs on. */
export const render = ({ body }: Template, { variables, now, limits }: Rendering): string => {
  const run = new Run(limits, now)
  try {
    const scope = new Scope(globalScope())
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined) scope.set(name, fromJson(run, value))
    }
    executeBlock(body, run, scope)
    return run.written
  } catch (fault) {
    throw asFault(fault, run.line)
  }
}
