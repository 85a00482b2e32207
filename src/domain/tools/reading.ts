import * as Either from "effect/Either"
import { InvalidRequest } from "../errors.ts"
import { CallScanner } from "./callScanner.ts"
import { faultOfTool, schemaOfChoice } from "./callSchema.ts"
import { ForcedScanner } from "./forcedScanner.ts"
import {
  type CallFormat,
  callFormats,
  detectToolCallParser,
  marksOf,
  requiredCalls,
  type ToolCallParser
} from "./formats.ts"
import type { Scanner } from "./pieces.ts"
import {
  detectReasoningParser,
  type ReasoningFormat,
  type ReasoningParser,
  ReasoningScanner,
  reasoningAfter,
  reasoningFormats
} from "./reasoningScanner.ts"
import { resolveChoice, type ToolChoice, toolsOf } from "./toolChoice.ts"

/** How a model writes calls and reasoning, as far as it is known. */
export interface Parsers {
  readonly toolCallParser?: ToolCallParser
  readonly reasoningParser?: ReasoningParser
}

/** The parsers that were asked for by name, else those that a template calls for. */
export const chooseParsers = (
  given: { readonly [Name in keyof Parsers]?: Parsers[Name] | undefined },
  template: string
): Parsers => {
  const toolCallParser = given.toolCallParser ?? detectToolCallParser(template)
  const reasoningParser = given.reasoningParser ?? detectReasoningParser(template)
  return {
    ...(toolCallParser === undefined ? {} : { toolCallParser }),
    ...(reasoningParser === undefined ? {} : { reasoningParser })
  }
}

/** What a chat request says that bears on how its replies are read. */
export interface ReadingInput {
  readonly tools?: ReadonlyArray<unknown> | undefined
  readonly toolChoice?: ToolChoice | undefined
  /** Whether the request constrains its replies itself. */
  readonly structured: boolean
  /** Where the model's is not known: `json`, which reads only calls to tools that were offered; and no reasoning. */
  readonly parsers: Parsers
}

/** How the replies of one request are read. */
export interface Reading {
  /** What they must conform to: JSON that toolChoice asks for. */
  readonly schema: Readonly<Record<string, unknown>> | undefined
  /** A fault of that schema, by the name of the request's own field. */
  readonly faultOf: (fault: InvalidRequest) => InvalidRequest
  /** Texts that must stay in the replies though they may be special tokens. */
  readonly marks: ReadonlyArray<string>
  /** Ids of nine letters and digits. */
  readonly shortIds: boolean
  /** A scanner for one output sequence of the rendered prompt, whose last message it may go on with. */
  readonly open: (prompt: string, continued?: string) => ReplyScanner
}

/** First reasoning is told apart, then in the answer tool calls. */
export class ReplyScanner implements Scanner {
  constructor(
    private readonly reasoning: Scanner | undefined,
    private readonly calls: Scanner | undefined
  ) {}

  push(text: string) {
    return this.reasoning === undefined ? this.answer(text) : this.both(this.reasoning.push(text))
  }

  end() {
    const pieces = this.reasoning === undefined ? [] : this.both(this.reasoning.end())
    return this.calls === undefined ? pieces : [...pieces, ...this.calls.end()]
  }

  private both(pieces: ReturnType<Scanner["push"]>) {
    return pieces.flatMap((piece) => (piece.type === "text" ? this.answer(piece.text) : [piece]))
  }

  private answer(text: string): ReturnType<Scanner["push"]> {
    if (this.calls !== undefined) return this.calls.push(text)
    return text === "" ? [] : [{ type: "text", text }]
  }
}

const conflict = new InvalidRequest({
  field: "structuredOutputs",
  given: "a constraint beside toolChoice",
  expected: "one of them: a required or named tool constrains the reply itself",
  mend: 'Leave structuredOutputs out, or set toolChoice to "auto".'
})

/**
 * How a request's replies are to be read. A reply that is constrained is constrained from its first token: there is no
 * room for reasoning in it, and no call but those that the constraint is made of.
 */
export const planReading = (input: ReadingInput): Either.Either<Reading, InvalidRequest> =>
  Either.gen(function* () {
    const tools = yield* toolsOf(input.tools ?? [])
    const choice = yield* resolveChoice(input.toolChoice, tools)
    const schema = schemaOfChoice(choice, tools)
    if (schema !== undefined && input.structured) return yield* Either.left(conflict)
    const free = schema === undefined && !input.structured
    const format: CallFormat = callFormats[input.parsers.toolCallParser ?? "json"]
    const reads = free && choice.mode === "auto"
    const reasoning: ReasoningFormat | undefined = free
      ? reasoningFormats[input.parsers.reasoningParser ?? "none"]
      : undefined
    const names = new Set(tools.map(({ name }) => name))
    const known = (name: string) => names.has(name)
    const calls = (): Scanner | undefined => {
      if (choice.mode === "forced") return new ForcedScanner(choice.tool.name)
      if (choice.mode === "required") return new CallScanner(requiredCalls, known)
      return reads ? new CallScanner(format, known) : undefined
    }
    return {
      schema,
      faultOf: (fault) => faultOfTool(fault, choice, tools),
      marks: [...(reads ? marksOf(format) : []), ...(reasoning === undefined ? [] : [reasoning.open, reasoning.close])],
      shortIds: format.shortIds === true,
      open: (prompt, continued) => {
        const opened = reasoning === undefined ? undefined : reasoningAfter(reasoning, prompt, continued)
        return new ReplyScanner(opened === undefined ? undefined : new ReasoningScanner(opened), calls())
      }
    }
  })
