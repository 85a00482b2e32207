import * as Either from "effect/Either"
import type { InvalidRequest } from "../errors.ts"
import type { ContentFormat } from "./contentFormat.ts"
import { isRecord, judgeMessages, type Message, refuse } from "./messages.ts"

type Judged<A> = Either.Either<A, InvalidRequest>

/** Parts that are text, and the key that holds it. */
const textKeys: ReadonlyMap<unknown, string> = new Map([
  ["text", "text"],
  ["input_text", "text"],
  ["output_text", "text"],
  ["refusal", "refusal"],
  ["thinking", "thinking"],
  [undefined, "text"]
])

const textOfPart = (part: unknown, field: string): Judged<string> => {
  if (typeof part === "string") return Either.right(part)
  const type = isRecord(part) ? part.type : undefined
  const key = textKeys.get(type)
  if (!isRecord(part) || key === undefined)
    return refuse(
      field,
      isRecord(part) ? type : part,
      '{ type: "text", text }',
      "This engine reads text only: leave the part out."
    )
  const text = part[key]
  return typeof text === "string"
    ? Either.right(text)
    : refuse(`${field}.${key}`, text, "a text", "Give the part its text.")
}

/** The texts of a content; null and absent are none, as an assistant's that only calls tools. */
const textsOf = (content: unknown, field: string): Judged<ReadonlyArray<string>> => {
  if (content === undefined || content === null) return Either.right([])
  if (typeof content === "string") return Either.right([content])
  if (!Array.isArray(content)) return refuse(field, content, "a text, or an array of parts", "Give the message's text.")
  return Either.all(content.map((part, at) => textOfPart(part, `${field}[${at}]`)))
}

/** As one text, parts between line ends; or as parts, for templates that go through them. */
const contentAs = (texts: ReadonlyArray<string>, given: unknown, format: ContentFormat): unknown =>
  format === "either" && typeof given === "string"
    ? given
    : format !== "string"
      ? texts.map((text) => ({ type: "text", text }))
      : texts.filter((text) => text !== "").join("\n")

/** How a template wants the arguments of a call: nearly all as an object, a few (DeepSeek-R1's) as text. */
export type ArgumentsFormat = "object" | "text"

const parseArguments = (given: unknown, field: string): Judged<unknown> => {
  if (given === undefined || given === null || given === "") return Either.right({})
  if (typeof given !== "string") return Either.right(given)
  return Either.orElse(
    Either.try((): unknown => JSON.parse(given)),
    () => refuse(field, given, "a JSON object, or its text", "Give the call's arguments as the tool was sent them.")
  )
}

const argumentsText = (given: unknown, parsed: unknown) =>
  typeof given === "string" && given !== "" ? given : JSON.stringify(parsed)

/** Templates want a call's arguments as an object; OpenAI's API gives them as text. */
const parseCall = (call: unknown, field: string, form: ArgumentsFormat): Judged<unknown> => {
  const inner = isRecord(call) ? call.function : undefined
  if (!isRecord(call) || !isRecord(inner))
    return refuse(
      isRecord(call) ? `${field}.function` : field,
      isRecord(call) ? inner : call,
      "{ name, arguments }",
      'Give each call as { id, type: "function", function: { name, arguments } }.'
    )
  if (typeof inner.name !== "string" || inner.name === "")
    return refuse(`${field}.function.name`, inner.name, "a text that is not empty", "Say which tool was called.")
  return Either.map(parseArguments(inner.arguments, `${field}.function.arguments`), (parsed) => ({
    ...call,
    function: { ...inner, arguments: form === "object" ? parsed : argumentsText(inner.arguments, parsed) }
  }))
}

const callsOf = (given: unknown, field: string, form: ArgumentsFormat): Judged<ReadonlyArray<unknown>> => {
  if (given === undefined || given === null) return Either.right([])
  return Array.isArray(given)
    ? Either.all(given.map((call, at) => parseCall(call, `${field}[${at}]`, form)))
    : refuse(field, given, "an array of calls", "Leave it out when there are none.")
}

const nameOf = (name: unknown, field: string): Judged<Readonly<Record<string, unknown>>> => {
  if (name === undefined || name === null) return Either.right({})
  return typeof name === "string"
    ? Either.right({ name })
    : refuse(field, name, "a text", "Leave it out where there is none.")
}

/** Under both names that templates look for. */
const reasoningOf = ({ reasoning, reasoning_content }: Message) => {
  const text = reasoning ?? reasoning_content
  return text === undefined || text === null ? {} : { reasoning: text, reasoning_content: text }
}

/** The form of a chat's messages. */
export interface MessageForm {
  readonly content: ContentFormat
  readonly calls: ArgumentsFormat
}

/**
 * The forms to try on a template that wants its content so, the likeliest first: one that goes through parts may still want
 * a text in one place, such as the system's message; one may want arguments as text.
 */
export const formsFor = (content: ContentFormat): readonly [MessageForm, ...Array<MessageForm>] => [
  { content, calls: "object" },
  ...(content === "string" ? [] : [{ content: "string", calls: "object" } as const]),
  { content, calls: "text" }
]

const normaliseMessage = (message: Message, field: string, form: MessageForm): Judged<Message> => {
  const { content, name, tool_calls, reasoning, reasoning_content, toolCalls, ...rest } = message
  if (toolCalls !== undefined)
    return refuse(
      `${field}.toolCalls`,
      "toolCalls",
      "tool_calls",
      "In messages calls stand as in OpenAI's API: tool_calls."
    )
  return Either.gen(function* () {
    const texts = yield* textsOf(content, `${field}.content`)
    const calls = yield* callsOf(tool_calls, `${field}.tool_calls`, form.calls)
    const named = yield* nameOf(name, `${field}.name`)
    return {
      ...rest,
      content: contentAs(texts, content, form.content),
      ...named,
      ...reasoningOf(message),
      ...(calls.length === 0 ? {} : { tool_calls: calls })
    }
  })
}

/** A chat's messages in the one form that templates expect, as vLLM brings them into it. Each fault names its field. */
export const normaliseMessages = (given: unknown, form: MessageForm): Judged<ReadonlyArray<Message>> =>
  Either.flatMap(judgeMessages(given), (messages) =>
    messages.length === 0
      ? refuse("messages", [], "at least one message", "Begin with a system's or a user's message.")
      : Either.all(messages.map((message, at) => normaliseMessage(message, `messages[${at}]`, form)))
  )
