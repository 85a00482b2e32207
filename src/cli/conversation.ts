import type { ToolCall } from "../domain/request/outputs.ts"

export type Message = Readonly<Record<string, unknown>> & { readonly role: string }

/** What an assistant said. */
export interface Said {
  readonly text: string
  readonly toolCalls: ReadonlyArray<ToolCall>
}

/** The messages of a session, in the shape of the OpenAI API, which templates read. */
export class Conversation {
  #messages: Array<Message>
  readonly #system: ReadonlyArray<Message>

  constructor(system: string | undefined) {
    this.#system = system === undefined ? [] : [{ role: "system", content: system }]
    this.#messages = [...this.#system]
  }

  get messages(): ReadonlyArray<Message> {
    return this.#messages
  }

  reset() {
    this.#messages = [...this.#system]
  }

  user(content: string) {
    this.#messages.push({ role: "user", content })
  }

  assistant({ text, toolCalls }: Said) {
    const calls = toolCalls.map(({ id, name, arguments: given }) => ({
      id,
      type: "function",
      function: { name, arguments: given }
    }))
    this.#messages.push({ role: "assistant", content: text, ...(calls.length > 0 ? { tool_calls: calls } : {}) })
  }

  tool({ id, name }: ToolCall, content: string) {
    this.#messages.push({ role: "tool", tool_call_id: id, name, content })
  }

  /** A place to come back to when a turn comes to nothing. */
  get length(): number {
    return this.#messages.length
  }

  cut(length: number) {
    this.#messages.length = length
  }
}
