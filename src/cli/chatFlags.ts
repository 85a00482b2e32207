import * as Schema from "effect/Schema"
import { chatOptions } from "../domain/chat/options.ts"
import { EngineOptions } from "../domain/config/engineOptions.ts"
import { field, jsonObject, text } from "../domain/config/types.ts"
import { SamplingFields } from "../domain/sampling/samplingParams.ts"
import { type Flag, flagsOf } from "./flags.ts"
import { type FlagGroup, helpText } from "./help.ts"

/** What only the command line has. */
const Own = Schema.Struct({
  system: field(text, "System message that the conversation begins with."),
  tools: field(text, "JSON file with an array of tools to offer, in the form of the OpenAI API."),
  toolChoice: field(
    Schema.Union(text, jsonObject).annotations({ description: "auto, none, required or a JSON object" }),
    "Whether a reply may, must or must not call a tool.",
    "auto"
  ),
  chatTemplate: field(
    text,
    "A template in place of the checkpoint's: its text, its file, or the name of one the checkpoint brings."
  ),
  chatTemplateKwargs: chatOptions.chatTemplateKwargs
})

/** A chat has one reply at a time, and a reply goes to its end. */
const engineFlags = flagsOf(EngineOptions, ["seed"])
const samplingFlags = flagsOf(SamplingFields, ["outputKind", "n", "bestOf", "detokenize", "promptLogprobs", "logprobs"])
const shownSamplingFlags = samplingFlags.map((known) =>
  known.field === "maxTokens" ? { ...known, default: undefined, description: "Tokens of a reply, at most." } : known
)
const ownFlags = flagsOf(Own)

export const chatFlags: ReadonlyArray<Flag> = [...ownFlags, ...shownSamplingFlags, ...engineFlags]

const groups: ReadonlyArray<FlagGroup> = [
  { title: "Command", flags: ownFlags },
  { title: "Sampling", flags: shownSamplingFlags },
  { title: "Engine", flags: engineFlags }
]

export const chatHelp = (): string =>
  helpText(
    "millrace chat --model MODEL [flags]",
    "A conversation at the terminal, or with each line of standard input as a message. /help, typed there, lists its commands.",
    groups
  )

const pick = (values: Readonly<Record<string, unknown>>, flags: ReadonlyArray<Flag>) =>
  Object.fromEntries(flags.flatMap(({ field: name }) => (values[name] === undefined ? [] : [[name, values[name]]])))

/** Sorts what was given by whom it is for; each part is still to be decoded. */
export const sortChatValues = (values: Readonly<Record<string, unknown>>) => ({
  own: pick(values, ownFlags) as typeof Own.Type,
  sampling: pick(values, samplingFlags),
  engine: pick(values, engineFlags)
})
