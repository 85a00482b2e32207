import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { llama } from "../../../src/domain/model/llama.ts"
import { layer } from "../../../src/layers/compose/engine.ts"
import { complete } from "../../../src/layers/engine/derived.ts"
import { extend } from "../../../src/layers/ModelRegistry.ts"
import { folderOf, goldenCases } from "../../support/golden.ts"

/** A checkpoint whose config names a family that the engine does not come with. */
const strangeFolder = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-registry-"))
    cpSync(folderOf("llama-gqa"), folder, { recursive: true })
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"))
    writeFileSync(join(folder, "config.json"), JSON.stringify({ ...config, architectures: ["HouseForCausalLM"] }))
    return folder
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const [golden] = goldenCases("llama-gqa")
const ask = complete({
  promptTokenIds: golden!.promptTokenIds,
  params: { temperature: 0, ignoreEos: true, maxTokens: golden!.greedy.length }
})
const engine = (model: string) => layer({ model, device: "reference", dtype: "float32", skipTokenizerInit: true })

it.scoped("a family of one's own is served once a layer extends the registry", () =>
  Effect.gen(function* () {
    const folder = yield* strangeFolder
    const refused = yield* Effect.flip(Effect.provide(ask, engine(folder)))
    assert.strictEqual(refused._tag, "UnsupportedArchitecture")
    const own = extend({ ...llama, name: "HouseForCausalLM" })
    const output = yield* Effect.provide(ask, Layer.provide(engine(folder), own))
    assert.deepStrictEqual(output.outputs[0]!.tokenIds, golden!.greedy)
  })
)
