import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { configured, variableOf } from "../../../src/layers/compose/engineConfig.ts"

const under = (variables: Record<string, string>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))

describe("options from the environment", () => {
  it("have their names in capitals", () => {
    assert.strictEqual(variableOf("maxNumBatchedTokens"), "MILLRACE_MAX_NUM_BATCHED_TOKENS")
  })

  it.effect("are read as what each option is", () =>
    Effect.gen(function* () {
      const options = yield* configured()
      assert.deepStrictEqual(options, {
        model: "123",
        maxModelLen: 512,
        enablePrefixCaching: false,
        maxParkedTime: "3 minutes",
        overrideGenerationConfig: { temperature: 0 }
      })
    }).pipe(
      under({
        MILLRACE_MODEL: "123",
        MILLRACE_MAX_MODEL_LEN: "512",
        MILLRACE_ENABLE_PREFIX_CACHING: "false",
        MILLRACE_MAX_PARKED_TIME: "3 minutes",
        MILLRACE_OVERRIDE_GENERATION_CONFIG: '{"temperature":0}'
      })
    )
  )

  it.effect("stand between what was given and the file", () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-"))
    const file = join(folder, "millrace.json")
    writeFileSync(file, JSON.stringify({ model: "file", maxNumSeqs: 1, seed: 1 }))
    return configured({ seed: 3 }).pipe(
      under({ MILLRACE_CONFIG: file, MILLRACE_MAX_NUM_SEQS: "2", MILLRACE_SEED: "2" }),
      Effect.map((options) => assert.deepStrictEqual(options, { model: "file", maxNumSeqs: 2, seed: 3 })),
      Effect.ensuring(Effect.sync(() => rmSync(folder, { recursive: true })))
    )
  })

  it.effect("are refused by name", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(configured({ model: "m" }).pipe(under({ MILLRACE_MAX_MODEL_LEN: "many" })))
      assert.deepInclude(wrong, { _tag: "InvalidOptions", field: "maxModelLen" })
      const absent = yield* Effect.flip(configured().pipe(under({ MILLRACE_CONFIG: "/nowhere.json" })))
      assert.deepInclude(absent, { _tag: "InvalidOptions", field: "MILLRACE_CONFIG" })
      assert.deepInclude(yield* Effect.flip(configured().pipe(under({}))), { field: "model" })
    })
  )
})
