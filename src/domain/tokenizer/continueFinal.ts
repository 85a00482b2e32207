import { isRecord } from "./rule.ts"

/**
 * The prompt up to the end of its final message's text, so that the model goes on writing it. Templates may strip white
 * space off a message; then its end is where the stripped text ends.
 */
export const cutAfterFinalMessage = (prompt: string, message: unknown): string => {
  const text = textOfMessage(message)
  if (text === undefined) throw new Error("continueFinalMessage needs a final message with text")
  const at = prompt.lastIndexOf(text.trim())
  if (at < 0) throw new Error("continueFinalMessage: the chat template does not show the final message as it is")
  const whole = text.trimStart()
  return prompt.slice(0, at + (prompt.startsWith(whole, at) ? whole : text.trim()).length)
}

const textOfMessage = (message: unknown): string | undefined => {
  const content = isRecord(message) ? message.content : undefined
  if (typeof content === "string") return content
  const parts: ReadonlyArray<unknown> = Array.isArray(content) ? content : []
  const part = parts.filter((item) => isRecord(item) && item.type === "text").at(-1)
  return isRecord(part) && typeof part.text === "string" ? part.text : undefined
}
