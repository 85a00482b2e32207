import { stripBoth, stripStart } from "./jinja/whitespace.ts"
import { isRecord } from "./messages.ts"

/**
 * The prompt up to the end of its final message's text, so that the model goes on writing it. Templates may strip white
 * space off a message; then its end is where the stripped text ends. A sentence instead when that cannot be.
 */
export const cutAfterFinalMessage = (
  prompt: string,
  message: unknown
): { readonly prompt: string } | { readonly problem: string } => {
  const text = textOfMessage(message)
  if (text === undefined) return { problem: "the final message has no text to continue" }
  const bare = stripBoth(text)
  const at = prompt.lastIndexOf(bare)
  if (at < 0) return { problem: "the chat template does not show the final message as it is" }
  const whole = stripStart(text)
  return { prompt: prompt.slice(0, at + (prompt.startsWith(whole, at) ? whole : bare).length) }
}

/** The text of a message that a reply may go on with. */
export const textOfMessage = (message: unknown): string | undefined => {
  const content = isRecord(message) ? message.content : undefined
  if (typeof content === "string") return content
  const parts: ReadonlyArray<unknown> = Array.isArray(content) ? content : []
  const part = parts.filter((item) => isRecord(item) && item.type === "text").at(-1)
  return isRecord(part) && typeof part.text === "string" ? part.text : undefined
}
