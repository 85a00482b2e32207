import { readFile } from "node:fs/promises"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { EngineOptions } from "../../domain/config/engineOptions.ts"
import { type Field, fieldsOf } from "../../domain/config/fields.ts"
import { decodeStrict } from "../../domain/config/strict.ts"
import { InvalidOptions, type StartError } from "../../domain/errors.ts"
import type { Engine } from "../../services/Engine.ts"
import { layerWithHubConfig } from "./engine.ts"

/** `maxModelLen` as the environment spells it. */
export const variableOf = (field: string): string =>
  `MILLRACE_${field.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A variable's text as a value of the field: the text itself where that will do, else what it is as JSON. */
const valueOf = ({ name }: Field, text: string): unknown =>
  Either.isRight(decodeStrict(EngineOptions, { model: "any", [name]: text })) ? text : parse(text)

const variable = (name: string) =>
  Config.option(Config.string(name)).pipe(
    Effect.mapError(
      (fault) => new InvalidOptions({ field: name, given: "a faulty setting", expected: "a text", mend: String(fault) })
    )
  )

/** The options of a JSON file that MILLRACE_CONFIG names. */
const fromFile = Effect.gen(function* () {
  const path = yield* variable("MILLRACE_CONFIG")
  if (Option.isNone(path)) return {}
  const refuse = (expected: string) =>
    new InvalidOptions({ field: "MILLRACE_CONFIG", given: path.value, expected, mend: "Change it, or unset it." })
  const text = yield* Effect.tryPromise({
    try: () => readFile(path.value, "utf8"),
    catch: () => refuse("a file that can be read")
  })
  const options = parse(text)
  return isObject(options) ? options : yield* refuse("a JSON object of engine options")
})

const fromEnvironment = Effect.gen(function* () {
  const given: Record<string, unknown> = {}
  for (const field of fieldsOf(EngineOptions.ast)) {
    const text = yield* variable(variableOf(field.name))
    if (Option.isSome(text)) given[field.name] = valueOf(field, text.value)
  }
  return given
})

/** What was given wins over `MILLRACE_*`, that over the file of MILLRACE_CONFIG, that over the defaults. */
export const configured = (overrides: Partial<EngineOptions> = {}): Effect.Effect<EngineOptions, InvalidOptions> =>
  Effect.gen(function* () {
    const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
    const options = { ...(yield* fromFile), ...(yield* fromEnvironment), ...given }
    return yield* Either.mapLeft(decodeStrict(EngineOptions, options), (problem) => new InvalidOptions(problem))
  })

export const layerConfig = (overrides: Partial<EngineOptions> = {}): Layer.Layer<Engine, StartError> =>
  Layer.unwrapEffect(Effect.map(configured(overrides), layerWithHubConfig))
