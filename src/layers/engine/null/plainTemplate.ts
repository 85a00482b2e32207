import * as Effect from "effect/Effect"
import { InvalidRequest } from "../../../domain/errors.ts"
import type { ChatTemplateInstance } from "../../../services/ChatTemplate.ts"

const contentOf = (message: unknown): string => {
  const { role, content } = message as { readonly role?: unknown; readonly content?: unknown }
  return `${String(role)}: ${typeof content === "string" ? content : JSON.stringify(content ?? null)}`
}

/** The null engine's chats, one line a message: enough to tell in a test what was asked. It has no template language. */
export const plainTemplate: ChatTemplateInstance = {
  present: true,
  source: "",
  contentFormat: () => Effect.succeed("string"),
  render: (messages, { chatTemplate, tools, addGenerationPrompt = true } = {}) => {
    if (chatTemplate !== undefined)
      return new InvalidRequest({
        field: "chatTemplate",
        given: "a template",
        expected: "none",
        mend: "The null engine renders chats in a form of its own: leave it out."
      })
    const offered = (tools ?? []).map((tool) => `tool: ${JSON.stringify(tool)}`)
    const lines = [...offered, ...messages.map(contentOf), ...(addGenerationPrompt ? ["assistant:"] : [])]
    return Effect.succeed(lines.join("\n"))
  }
}
