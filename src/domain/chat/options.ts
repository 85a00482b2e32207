import * as Schema from "effect/Schema"
import { field, flag, jsonObject, oneOf, text } from "../config/types.ts"

/** Options of a chat template, as LLM.chat and applyChatTemplate take them. */
export const chatOptions = {
  chatTemplate: field(
    text,
    "A template in place of the checkpoint's: its text, or the name of one the checkpoint brings."
  ),
  addGenerationPrompt: field(flag, "Open the assistant's turn at the end.", true),
  continueFinalMessage: field(flag, "Leave the last message open, to be continued.", false),
  tools: field(Schema.Array(Schema.Unknown).annotations({ description: "an array of tools" }), "Tools to offer."),
  documents: field(Schema.Array(Schema.Unknown).annotations({ description: "an array" }), "Documents to offer."),
  chatTemplateKwargs: field(jsonObject, "More variables for the template."),
  chatTemplateContentFormat: field(
    oneOf("auto", "string", "openai"),
    "Brings messages into one form, their content as a text or as parts; auto: as the template goes through it. A chat does so by itself; applyChatTemplate only where this is given."
  )
}

export const ChatTemplateOptions = Schema.Struct(chatOptions)
export type ChatTemplateOptions = typeof ChatTemplateOptions.Type
