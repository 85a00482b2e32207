import * as jinja from "@huggingface/jinja"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Library } from "../domain/chat/jinja/library.ts"
import { compilerOf } from "../domain/chat/jinja/template.ts"
import { contentFormat, renderChat } from "../domain/chat/render.ts"
import { type Sources, TemplateStore } from "../domain/chat/templates.ts"
import type { CheckpointInvalid } from "../domain/errors.ts"
import { isRecord, type Rule } from "../domain/tokenizer/rule.ts"
import { ChatTemplate, type ChatTemplateInstance } from "../services/ChatTemplate.ts"
import type { ModelFolder } from "../services/ModelSource.ts"
import { readJson } from "./Tokenizer.ts"

/** The library's type files name each other without endings, which NodeNext does not resolve: what we use of it is typed there. */
const compile = compilerOf(jinja as unknown as Library)

/** Reads the checkpoint's templates and the special tokens that they may print. Each is compiled when first rendered. */
export const load = (folder: ModelFolder): Effect.Effect<ChatTemplateInstance, CheckpointInvalid> =>
  Effect.gen(function* () {
    const config = (yield* readJson(folder, "tokenizer_config.json")) ?? {}
    const map = (yield* readJson(folder, "special_tokens_map.json")) ?? {}
    const sources = yield* templatesIn(folder, config)
    const store = new TemplateStore(sources, compile)
    const specials = { ...specialTokens(map), ...specialTokens(config) }
    return {
      present: sources.size > 0,
      source: [...sources.values()].join("\n"),
      contentFormat: (options = {}) => Effect.suspend(() => contentFormat(store, options)),
      render: (messages, options = {}) =>
        Effect.clockWith((clock) =>
          renderChat(store, messages, options, { specialTokens: specials, now: clock.unsafeCurrentTimeMillis() })
        )
    }
  })

export const layer: Layer.Layer<ChatTemplate> = Layer.succeed(ChatTemplate, { load })

const extraFolder = "additional_chat_templates"
const ending = ".jinja"

/**
 * chat_template.jinja wins over chat_template.json, and that over tokenizer_config.json, as in transformers; the files
 * beside the first add templates of their names.
 */
const templatesIn = (folder: ModelFolder, config: Rule): Effect.Effect<Sources, CheckpointInvalid> =>
  Effect.gen(function* () {
    const file = yield* folder.readText("chat_template.jinja")
    const extra = (yield* folder.list(extraFolder)).filter((name) => name.endsWith(ending))
    if (file === undefined && extra.length === 0) {
      const json = yield* readJson(folder, "chat_template.json")
      return named(json?.chat_template ?? config.chat_template)
    }
    const sources = new Map(file === undefined ? named(config.chat_template) : [["default", file]])
    for (const name of extra) {
      const text = yield* folder.readText(`${extraFolder}/${name}`)
      if (text !== undefined) sources.set(name.slice(0, -ending.length), text)
    }
    return sources
  })

/** One template, or a list of `{ name, template }`. */
const named = (given: unknown): Sources => {
  if (typeof given === "string") return new Map([["default", given]])
  const sources = new Map<string, string>()
  for (const entry of Array.isArray(given) ? given : [])
    if (isRecord(entry) && typeof entry.name === "string" && typeof entry.template === "string")
      sources.set(entry.name, entry.template)
  return sources
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
