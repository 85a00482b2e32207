import { Template } from "@huggingface/jinja"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type CheckpointInvalid, InvalidRequest } from "../domain/errors.ts"
import { cutAfterFinalMessage } from "../domain/tokenizer/continueFinal.ts"
import { isRecord, type Rule } from "../domain/tokenizer/rule.ts"
import { ChatTemplate, type ChatTemplateInstance, type ChatTemplateOptions } from "../services/ChatTemplate.ts"
import type { ModelFolder } from "../services/ModelSource.ts"
import { readJson } from "./Tokenizer.ts"

/** Templates by name; the one of a checkpoint that has only one is `default`. */
type Templates = ReadonlyMap<string, string>

/** Reads the checkpoint's template and the special tokens that it may print. Templates are compiled when first rendered. */
export const load = (folder: ModelFolder): Effect.Effect<ChatTemplateInstance, CheckpointInvalid> =>
  Effect.gen(function* () {
    const config = (yield* readJson(folder, "tokenizer_config.json")) ?? {}
    const map = (yield* readJson(folder, "special_tokens_map.json")) ?? {}
    const templates = yield* templatesIn(folder, config)
    const specials = { ...specialTokens(map), ...specialTokens(config) }
    const compiled = new Map<string, Template>()
    const compile = (source: string): Template => {
      const known = compiled.get(source)
      if (known !== undefined) return known
      const template = new Template(source)
      // Only the checkpoint's own are kept: those of requests have no bound.
      if ([...templates.values()].includes(source)) compiled.set(source, template)
      return template
    }
    return {
      present: templates.size > 0,
      source: [...templates.values()].join("\n"),
      render: (messages, options = {}) =>
        Effect.flatMap(choose(templates, options), (source) => render(compile, source, messages, options, specials))
    }
  })

export const layer: Layer.Layer<ChatTemplate> = Layer.succeed(ChatTemplate, { load })

/** chat_template.jinja wins over chat_template.json, and that over tokenizer_config.json, as in transformers. */
const templatesIn = (folder: ModelFolder, config: Rule): Effect.Effect<Templates, CheckpointInvalid> =>
  Effect.gen(function* () {
    const file = yield* folder.readText("chat_template.jinja")
    if (file !== undefined) return new Map([["default", file]])
    const json = yield* readJson(folder, "chat_template.json")
    return named(json?.chat_template ?? config.chat_template)
  })

/** One template, or a list of `{ name, template }`. */
const named = (given: unknown): Templates => {
  if (typeof given === "string") return new Map([["default", given]])
  const templates = new Map<string, string>()
  for (const entry of Array.isArray(given) ? given : [])
    if (isRecord(entry) && typeof entry.name === "string" && typeof entry.template === "string")
      templates.set(entry.name, entry.template)
  return templates
}

/** `bos_token`, `eos_token`, ...: as text. */
const specialTokens = (config: Rule): Readonly<Record<string, string>> => {
  const tokens: Record<string, string> = {}
  for (const [name, given] of Object.entries(config)) {
    if (!name.endsWith("_token")) continue
    const text = isRecord(given) ? given.content : given
    if (typeof text === "string") tokens[name] = text
  }
  return tokens
}

/** The request's own template (or the name of one), else the one for tools where tools are given, else the default. */
const choose = (templates: Templates, options: ChatTemplateOptions): Effect.Effect<string, InvalidRequest> => {
  const { chatTemplate, tools } = options
  if (chatTemplate !== undefined) return Effect.succeed(templates.get(chatTemplate) ?? chatTemplate)
  const chosen = (tools === undefined ? undefined : templates.get("tool_use")) ?? templates.get("default")
  if (chosen !== undefined) return Effect.succeed(chosen)
  return new InvalidRequest({
    field: "chatTemplate",
    given: "none",
    expected:
      templates.size === 0 ? "a template: the checkpoint brings none" : `one of ${[...templates.keys()].join(", ")}`,
    mend: "Give chatTemplate with the request, or send a plain prompt."
  })
}

const render = (
  compile: (source: string) => Template,
  source: string,
  messages: ReadonlyArray<unknown>,
  options: ChatTemplateOptions,
  specials: Readonly<Record<string, string>>
): Effect.Effect<string, InvalidRequest> =>
  Effect.try({
    try: () => {
      const continued = options.continueFinalMessage ?? false
      const text = compile(source).render({
        ...specials,
        messages,
        // Defined though absent: templates ask `is none` as well as `is defined`.
        tools: options.tools ?? null,
        documents: options.documents ?? null,
        add_generation_prompt: options.addGenerationPrompt ?? !continued,
        ...options.chatTemplateKwargs
      })
      return continued ? cutAfterFinalMessage(text, messages.at(-1)) : text
    },
    catch: (fault) =>
      new InvalidRequest({
        field: "messages",
        given: `${messages.length} messages`,
        expected: "messages that the chat template accepts",
        mend: `The template says: ${fault instanceof Error ? fault.message : String(fault)}`
      })
  })
