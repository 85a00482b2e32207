import * as Either from "effect/Either"
import { InvalidRequest } from "../errors.ts"
import type { ContentFormat } from "./contentFormat.ts"
import { cutAfterFinalMessage } from "./continueFinal.ts"
import { TemplateFault } from "./jinja/fault.ts"
import type { Limits } from "./jinja/run.ts"
import { refuse } from "./messages.ts"
import type { ChatTemplateOptions } from "./options.ts"
import type { Compiled, TemplateStore } from "./templates.ts"

const shortened = (text: string) => (text.length <= 80 ? text : `${text.slice(0, 77)}...`)

/** The source of a template as a message shows it: the line that is at fault. */
const lineOf = (source: string, line: number): string => shortened((source.split(/\r\n|\r|\n/)[line - 1] ?? "").trim())

const expectations: Readonly<Record<TemplateFault["kind"], string>> = {
  syntax: "a Jinja template",
  limit: "a template that comes to an end",
  failed: "a template that can read these messages",
  raised: "messages that the chat template accepts"
}

/** A template's own refusal is about the messages; all else about the template where the request brought it. */
const explain = (fault: TemplateFault, source: string, foreign: boolean): InvalidRequest => {
  const { kind, line, message } = fault
  const ofMessages = kind === "raised" || (kind === "failed" && !foreign)
  const where = line > 0 ? ` at line ${line} of the chat template (${lineOf(source, line)})` : ""
  return new InvalidRequest({
    field: ofMessages ? "messages" : "chatTemplate",
    given: ofMessages ? "a chat" : "a template",
    expected: expectations[kind],
    mend: kind === "raised" ? `It says: ${message}${where}` : `It fails: ${message}${where}`
  })
}

const tooDeep = new TemplateFault("limit", "it nests too deep", 0)

/** What `body` makes of the template that these options choose; a template's fault as the user's error. */
const withTemplate = <A>(
  store: TemplateStore,
  { chatTemplate, tools }: ChatTemplateOptions,
  body: (compiled: Compiled, limits: Limits) => Either.Either<A, InvalidRequest>
): Either.Either<A, InvalidRequest> =>
  Either.flatMap(store.choose(chatTemplate, tools !== undefined), ({ source, foreign, limits, open }) => {
    try {
      return body(open(), limits)
    } catch (fault) {
      if (fault instanceof TemplateFault) return Either.left(explain(fault, source, foreign))
      // Reading the tree of a template that is one long chain goes as deep as rendering it.
      if (fault instanceof RangeError) return Either.left(explain(tooDeep, source, foreign))
      throw fault
    }
  })

/** How the template that these options choose wants a message's content. */
export const contentFormat = (
  store: TemplateStore,
  options: ChatTemplateOptions
): Either.Either<ContentFormat, InvalidRequest> =>
  withTemplate(store, options, (compiled) => Either.right(compiled.contentFormat))

/** What a rendering reads beside the request. */
export interface Surroundings {
  /** `bos_token`, `eos_token`, ...: as text. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly now: number
}

const finish = (
  text: string,
  messages: ReadonlyArray<unknown>,
  continued: boolean
): Either.Either<string, InvalidRequest> => {
  if (!continued) return Either.right(text)
  const cut = cutAfterFinalMessage(text, messages.at(-1))
  return "prompt" in cut
    ? Either.right(cut.prompt)
    : refuse("continueFinalMessage", true, "a final message that stands in the prompt", `Leave it out: ${cut.problem}.`)
}

/** The prompt that a chat becomes. Messages are rendered as they are. */
export const renderChat = (
  store: TemplateStore,
  messages: ReadonlyArray<unknown>,
  options: ChatTemplateOptions,
  { specialTokens, now }: Surroundings
): Either.Either<string, InvalidRequest> => {
  const { addGenerationPrompt, continueFinalMessage: continued = false } = options
  if (continued && addGenerationPrompt === true)
    return refuse(
      "continueFinalMessage",
      true,
      "one of it and addGenerationPrompt",
      "A prompt cannot open a turn and leave one open."
    )
  const variables = {
    ...specialTokens,
    messages,
    // Defined though absent: templates ask `is none` as well as `is defined`.
    tools: options.tools ?? null,
    documents: options.documents ?? null,
    add_generation_prompt: addGenerationPrompt ?? !continued,
    ...options.chatTemplateKwargs
  }
  return withTemplate(store, options, ({ template }, limits) =>
    finish(template.render({ variables, now, limits }), messages, continued)
  )
}
