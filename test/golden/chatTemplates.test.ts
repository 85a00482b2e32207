import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as TestClock from "effect/TestClock"
import { load } from "../../src/layers/ChatTemplate.ts"
import { renderChat } from "../../src/layers/engine/chat.ts"
import type { ChatTemplateInstance } from "../../src/services/ChatTemplate.ts"
import { folderAt } from "../support/modelFolder.ts"

/** What transformers rendered: 82 templates of real models by 12 sets of variables. See the README of the golden files. */
interface Answer {
  readonly text?: string
  /** raise_exception's message, or Python's error with its type in front. */
  readonly error?: string
}

const folder = join(import.meta.dirname, "chat_templates")
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"))
const contexts: Readonly<Record<string, Readonly<Record<string, unknown>>>> = read("contexts.json")
const expected: Readonly<Record<string, Readonly<Record<string, Answer>>>> = read("expected.json")
const files = readdirSync(join(folder, "templates"))

/** Renders that differ from Python's, each with its cause. A line that is wrong here fails, as does one that is missing. */
const differing: Readonly<Record<string, string>> = {}

/** The clock of the golden renders, in whatever time zone the test runs. */
const noon = new Date(2025, 6, 10, 12).getTime()

const templateOf = (file: string) =>
  load(folderAt("/nowhere", { "chat_template.jinja": readFileSync(join(folder, "templates", file), "utf8") }))

const renderWith = (template: ChatTemplateInstance, context: Readonly<Record<string, unknown>>) => {
  const { messages, tools, add_generation_prompt, ...chatTemplateKwargs } = context
  const options = {
    addGenerationPrompt: add_generation_prompt as boolean,
    ...(tools === undefined ? {} : { tools: tools as ReadonlyArray<unknown> }),
    chatTemplateKwargs
  }
  return Effect.either(renderChat(template, messages as ReadonlyArray<unknown>, options))
}

/** Python's own errors; all others are what a template said by raise_exception. */
const stumbled = (error: string) => /^(TypeError|UndefinedError): /.test(error)

describe("chat templates as transformers renders them", () => {
  it("covers all templates and contexts", () => {
    assert.deepStrictEqual(Object.keys(expected).sort(), files.sort())
    assert.strictEqual(files.length * Object.keys(contexts).length, 984)
  })

  for (const file of files)
    it.effect(file, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(noon)
        const template = yield* templateOf(file)
        for (const [name, context] of Object.entries(contexts)) {
          const { text, error } = expected[file]![name]!
          const got = yield* renderWith(template, context)
          if (text !== undefined) {
            const differs = Either.isLeft(got) || got.right !== text
            const listed = differing[`${file} ${name}`] !== undefined
            if (differs && !listed) assert.deepStrictEqual(Either.merge(got), text, `${file} with ${name}`)
            assert.strictEqual(differs, listed, `${file} with ${name} is listed as differing, but does not differ`)
          } else {
            // Where Python's own operation failed ours does too: nothing is made up.
            assert.isTrue(Either.isLeft(got), `${file} with ${name}: Python says ${error}`)
            if (Either.isLeft(got) && !stumbled(error!)) assert.include(got.left.message, error!)
          }
        }
      })
    )
})
