import * as Schema from "effect/Schema"
import { chatOptions } from "../domain/chat/options.ts"
import { EngineOptions } from "../domain/config/engineOptions.ts"
import { field, flag, text } from "../domain/config/types.ts"
import { BeamFields } from "../domain/sampling/beamParams.ts"
import { SamplingFields } from "../domain/sampling/samplingParams.ts"
import { type Flag, flagsOf } from "./flags.ts"
import { type FlagGroup, helpText } from "./help.ts"

/** What only the command line has. */
const Own = Schema.Struct({
  file: field(text, "File with one prompt on each line; - reads standard input."),
  json: field(flag, "Write one JSON object a line for each prompt, in their order, instead of text.", false),
  raw: field(flag, "Continue the prompt as it stands, even when the model has a chat template.", false),
  progress: field(flag, "Show a progress bar on a terminal.", true),
  chatTemplate: field(
    text,
    "A template in place of the checkpoint's: its text, its file, or the name of one the checkpoint brings."
  ),
  chatTemplateKwargs: chatOptions.chatTemplateKwargs
})

/** `seed` here is the request's, and a reply always goes to its end: neither the engine's seed nor a default of 16. */
const engineFlags = flagsOf(EngineOptions, ["seed"])
const samplingFlags = flagsOf(SamplingFields, ["outputKind"]).map((known) =>
  known.field === "maxTokens"
    ? {
        ...known,
        default: undefined,
        description: "Tokens of the reply, at most; by default to the end of the context."
      }
    : known
)
const ownFlags = flagsOf(Own)
/** What a beam search has that sampling has not; the fields of one name share a flag. */
const beamFlags = flagsOf(BeamFields, Object.keys(SamplingFields.fields)).map((known) =>
  known.field === "beamWidth" ? { ...known, default: undefined } : known
)

export const generateFlags: ReadonlyArray<Flag> = [...ownFlags, ...samplingFlags, ...beamFlags, ...engineFlags]

const groups: ReadonlyArray<FlagGroup> = [
  { title: "Command", flags: ownFlags },
  { title: "Sampling", flags: samplingFlags },
  {
    title: "Beam search, with --beam-width (then --max-tokens is 16 and --temperature 0 by default)",
    flags: beamFlags
  },
  { title: "Engine", flags: engineFlags }
]

export const generateHelp = (): string =>
  helpText(
    "millrace generate --model FOLDER [flags] PROMPT...",
    "Writes replies to the prompts, as they come. A model with a chat template gets each prompt as a user's message.",
    groups
  )

const pick = (values: Readonly<Record<string, unknown>>, flags: ReadonlyArray<Flag>) =>
  Object.fromEntries(flags.flatMap(({ field: name }) => (values[name] === undefined ? [] : [[name, values[name]]])))

/** Sorts what was given by whom it is for; each part is still to be decoded. */
export const sortValues = (values: Readonly<Record<string, unknown>>) => ({
  own: { progress: true, ...pick(values, ownFlags) } as typeof Own.Type,
  sampling: pick(values, samplingFlags),
  beam: pick(values, beamFlags),
  engine: pick(values, engineFlags)
})
