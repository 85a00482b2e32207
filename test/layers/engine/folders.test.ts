import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { EngineOptions } from "../../../src/domain/config/engineOptions.ts"
import { layer } from "../../../src/layers/compose/engine.ts"
import { complete } from "../../../src/layers/engine/derived.ts"
import * as HubLayer from "../../../src/layers/hub/Hub.ts"
import { Engine } from "../../../src/services/Engine.ts"
import { folderOf, tempFolder } from "../../support/checkpoints.ts"
import { fakeHub } from "../../support/hubServer.ts"

const brook = "models/brook"
const small = { device: "reference", maxModelLen: 64, maxNumSeqs: 2 } as const
const read = (name: string) => readFileSync(join(brook, name))

const withEngine = <A, E>(
  options: EngineOptions,
  use: (engine: Engine["Type"]) => Effect.Effect<A, E>,
  hub = HubLayer.layer({ offline: true, cache: tempFolder() })
) => Effect.flatMap(Engine, use).pipe(Effect.provide(layer({ ...small, ...options }, hub)))
const refusal = (options: EngineOptions) => Effect.flip(withEngine(options, () => Effect.void))

/** Brook without its tokenizer. */
const weightsOnly = () => {
  const folder = tempFolder()
  for (const name of ["config.json", "model.safetensors"]) cpSync(join(brook, name), join(folder, name))
  return folder
}

describe("where an engine's parts come from", () => {
  it.live("tokenizer names another folder, for the chat template too", () =>
    withEngine({ model: weightsOnly(), tokenizer: brook, tokenizerMode: "slow" }, (engine) =>
      Effect.gen(function* () {
        expect(engine.model.chatTemplate).toBe(true)
        expect(yield* engine.detokenize(yield* engine.tokenize("a fox"))).toContain("fox")
      })
    )
  )

  it.live("without it, a folder that has no tokenizer is refused", () =>
    Effect.map(refusal({ model: weightsOnly() }), (error) => expect(error.message).toContain("no tokenizer"))
  )

  it.live("a model and a tokenizer of the Hub, each at its revision; servedModelName names it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const hub = yield* fakeHub
        const names = ["config.json", "model.safetensors", "generation_config.json"]
        hub.repos["owner/brook"] = {
          refs: { main: "0".repeat(40), good: "1".repeat(40) },
          linked: ["model.safetensors"],
          files: Object.fromEntries(names.map((name) => [name, read(name)]))
        }
        hub.repos["owner/words"] = {
          refs: { v2: "2".repeat(40) },
          files: { "tokenizer.json": read("tokenizer.json"), "tokenizer_config.json": read("tokenizer_config.json") }
        }
        const options = {
          model: "owner/brook",
          revision: "good",
          tokenizer: "owner/words",
          tokenizerRevision: "v2",
          servedModelName: "brook"
        }
        const source = HubLayer.layer({ endpoint: hub.url, cache: tempFolder() })
        yield* withEngine(
          options,
          (engine) =>
            Effect.sync(() =>
              expect(engine.model).toMatchObject({ name: "brook", tokenizer: true, chatTemplate: true })
            ),
          source
        )
        expect(hub.log[0]).toBe("GET /api/models/owner/brook/revision/good")
        expect(hub.log).toContain("GET /api/models/owner/words/revision/v2")
      })
    )
  )

  it.live("a folder that is not there is looked for on the Hub, and both are named", () =>
    Effect.gen(function* () {
      const absent = yield* refusal({ model: "models/none" })
      expect(absent.message).toMatch(/^No model at models\/none: no such folder, and the Hub is off .*Run once without/)
      const path = yield* refusal({ model: "./models/none" })
      expect(path.message).toMatch(/no such folder\. Give a folder/)
    })
  )

  it.live("hfOverrides win over config.json", () =>
    Effect.gen(function* () {
      const error = yield* refusal({ model: brook, hfOverrides: { architectures: ["NobodyForCausalLM"] } })
      expect(error._tag).toBe("UnsupportedArchitecture")
      const positions = yield* withEngine(
        { model: brook, maxModelLen: 2048, hfOverrides: { max_position_embeddings: 2048 } },
        (engine) => Effect.succeed(engine.model.maxModelLen)
      )
      expect(positions).toBe(2048)
    })
  )

  it.live("a reply ends with the token that the tokenizer calls the end, though config.json does not", () =>
    Effect.gen(function* () {
      const reply = (options: Partial<EngineOptions> = {}) =>
        withEngine({ model: brook, generationConfig: "vllm", ...options }, (engine) =>
          Effect.provideService(complete({ prompt: "Once upon a time", params: { temperature: 0 } }), Engine, engine)
        ).pipe(Effect.map(({ outputs }) => outputs[0]!))
      const { tokenIds } = yield* reply()
      const { model } = JSON.parse(read("tokenizer.json").toString()) as { model: { vocab: Record<string, number> } }
      const third = Object.entries(model.vocab).find(([, id]) => id === tokenIds[2])![0]
      const tokenizer = folderOf({
        "tokenizer.json": read("tokenizer.json"),
        "tokenizer_config.json": { eos_token: third }
      })
      const ended = yield* reply({ tokenizer })
      expect(ended).toMatchObject({ tokenIds: tokenIds.slice(0, 3), finishReason: "stop", stopReason: null })
    })
  )

  it.live("generationConfig may be a folder with that file alone", () =>
    Effect.gen(function* () {
      const folder = folderOf({ "generation_config.json": { temperature: 0, max_new_tokens: 3 } })
      const lengths = (options: Partial<EngineOptions>) =>
        withEngine({ model: brook, ...options }, (engine) =>
          Effect.scoped(
            Effect.gen(function* () {
              const { deltas } = yield* engine.submit({ prompt: "Once", params: { ignoreEos: true } })
              const all = yield* Stream.runCollect(deltas)
              return [...all].flatMap(({ tokenIds }) => tokenIds).length
            })
          )
        )
      expect(yield* lengths({ generationConfig: folder })).toBe(3)
      expect(yield* lengths({ generationConfig: "vllm" })).toBe(16)
      expect(yield* lengths({ generationConfig: folder, overrideGenerationConfig: { max_new_tokens: 5 } })).toBe(5)
      const empty = tempFolder()
      mkdirSync(join(empty, "sub"))
      writeFileSync(join(empty, "config.json"), "{}")
      expect(yield* refusal({ model: brook, generationConfig: empty })).toMatchObject({ field: "generationConfig" })
    })
  )
})
