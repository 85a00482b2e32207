import { writeFile } from "node:fs/promises"
import { nearest } from "../domain/config/nearest.ts"
import type { Conversation } from "./conversation.ts"

const commands = {
  "/help": "List these commands.",
  "/reset": "Forget the conversation; the system message stays.",
  "/save FILE": "Write the messages to FILE as JSON.",
  "/exit": "Leave, as Ctrl-D does."
} as const

const help = () =>
  [
    ...Object.entries(commands).map(([name, about]) => `  ${name.padEnd(12)} ${about}`),
    "  Ctrl-C stops a reply and keeps the session. A line that ends with \\ goes on in the next.",
    "  // begins a message that starts with a slash.",
    ""
  ].join("\n")

/** What a line is: a command that has been carried out, with what to tell; the end; or words for the model. */
export type Line =
  | { readonly kind: "told"; readonly text: string; readonly failed: boolean }
  | { readonly kind: "end" }
  | { readonly kind: "message"; readonly text: string }

const told = (text: string, failed = false): Line => ({ kind: "told", text: `${text}\n`, failed })

const save = async (conversation: Conversation, file: string): Promise<Line> => {
  if (file === "") return told("/save needs a file's name.", true)
  try {
    await writeFile(file, `${JSON.stringify({ messages: conversation.messages }, null, 2)}\n`)
    return told(`Saved ${conversation.messages.length} messages to ${file}.`)
  } catch (error) {
    return told(`Not saved: ${error instanceof Error ? error.message : error}.`, true)
  }
}

/** Carries a line out if it is a command: a single line that begins with a slash. */
export const readLine = async (typed: string, conversation: Conversation): Promise<Line> => {
  const text = typed.trim()
  if (text.startsWith("//")) return { kind: "message", text: text.slice(1) }
  if (!text.startsWith("/") || text.includes("\n")) return { kind: "message", text }
  const [name = "", ...rest] = text.split(" ")
  switch (name) {
    case "/help":
      return told(help().trimEnd())
    case "/reset":
      conversation.reset()
      return told("The conversation begins anew.")
    case "/save":
      return save(conversation, rest.join(" ").trim())
    case "/exit":
    case "/quit":
      return { kind: "end" }
  }
  const meant = nearest(
    name,
    Object.keys(commands).map((known) => known.split(" ")[0]!)
  )
  return told(
    `There is no command ${name}.${meant === undefined ? "" : ` Did you mean ${meant}?`} /help lists them.`,
    true
  )
}
