import { readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ModelSourceLayer from "../../src/layers/ModelSource.ts"
import { ModelSource } from "../../src/services/ModelSource.ts"
import {
  convertedCheckpoint,
  folderOf,
  rawSafetensors,
  readSafetensors,
  safetensors,
  shardedCheckpoint
} from "../support/checkpoints.ts"

const brook = "models/brook"
const open = (model: string) =>
  Effect.flatMap(ModelSource, (source) => source.open(model)).pipe(Effect.provide(ModelSourceLayer.layer))
const tensors = (model: string) => Effect.flatMap(open(model), (folder) => folder.tensors)
const problems = (model: string) =>
  Effect.flip(tensors(model)).pipe(
    Effect.map((error) => (error._tag === "CheckpointInvalid" ? error.problems.join("\n") : error.message))
  )
const tensor = (name: string) => ({ name, dtype: "F32", shape: [1], data: new Uint8Array(4) })
const sharded = (weightMap: Record<string, unknown>, files: Record<string, ReadonlyArray<string>>) =>
  folderOf({
    "config.json": {},
    "model.safetensors.index.json": { weight_map: weightMap },
    ...Object.fromEntries(Object.entries(files).map(([file, names]) => [file, safetensors(names.map(tensor))]))
  })

describe("ModelSource", () => {
  it.effect("opens the bundled model", () =>
    Effect.gen(function* () {
      const folder = yield* open(brook)
      expect(folder.path).toBe(resolve(brook))
      expect(folder.config.model_type).toBe("llama")
      expect(folder.generationConfig).toMatchObject({ temperature: 0.7, eos_token_id: [2, 0] })
      expect(yield* folder.readText("tokenizer_config.json")).toContain("chat_template")
      expect(yield* folder.readText("vocab.json")).toBeUndefined()
      expect(yield* folder.list("additional_chat_templates")).toEqual([])
      expect(yield* folder.list(".")).toContain("tokenizer.json")
      const { files, tensors } = yield* folder.tensors
      expect(files).toEqual([resolve(brook, "model.safetensors")])
      expect(tensors.get("model.embed_tokens.weight")).toMatchObject({ dtype: "BF16", shape: [2048, 256], file: 0 })
    })
  )

  it.effect("finds the same bytes in shards as in one file", () =>
    Effect.gen(function* () {
      const { files, tensors: found } = yield* tensors(shardedCheckpoint(brook, 3))
      expect(files).toHaveLength(3)
      const whole = readSafetensors(join(brook, "model.safetensors"))
      expect(found.size).toBe(whole.length)
      const bytes = files.map((file) => readFileSync(file))
      for (const { name, data } of whole) {
        const at = found.get(name)!
        expect(bytes[at.file]!.subarray(at.offset, at.offset + at.bytes).equals(data), name).toBe(true)
      }
    })
  )

  it.effect("follows links, as the cache of the Hub has them", () =>
    Effect.gen(function* () {
      const folder = folderOf({ "config.json": {} })
      symlinkSync(resolve(brook, "model.safetensors"), join(folder, "model.safetensors"))
      expect((yield* tensors(folder)).tensors.size).toBeGreaterThan(10)
    })
  )

  it.effect.each([
    ["nobody/nothing", /no such folder.*knows no Hub/],
    ["./nothing", /no such folder\. /],
    ["package.json", /it is no folder/],
    [folderOf({}), /has no config\.json/]
  ] as const)("says why there is no model at %s", ([model, reason]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(model))
      expect(error._tag).toBe("ModelNotFound")
      expect(error.message).toMatch(reason)
      expect(error.message).toContain(model)
    })
  )

  it.effect.each([
    ["config.json", "{", /config\.json is not JSON/],
    ["config.json", "[]", /config\.json holds no JSON object/],
    ["generation_config.json", "null", /generation_config\.json holds no JSON object/]
  ] as const)("refuses a malformed %s: %s", ([name, text, fault]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(folderOf({ "config.json": "{}", [name]: text })))
      expect(error._tag).toBe("CheckpointInvalid")
      expect(error.message).toMatch(fault)
    })
  )

  it.effect("reads a config.json that begins with a byte order mark", () =>
    Effect.map(open(folderOf({ "config.json": '\uFEFF{"a":1}' })), (folder) => expect(folder.config).toEqual({ a: 1 }))
  )

  it.effect.each<readonly [string, () => string, RegExp]>([
    ["no weights", () => folderOf({ "config.json": {}, "model.gguf": "x" }), /neither model\.safetensors nor/],
    [
      "an index without a map",
      () => folderOf({ "config.json": {}, "model.safetensors.index.json": {} }),
      /no weight_map/
    ],
    ["an empty map", () => sharded({}, {}), /is empty/],
    [
      "a missing shard",
      () => sharded({ a: "1.safetensors", b: "2.safetensors" }, { "1.safetensors": ["a"] }),
      /the file 2\.safetensors is missing/
    ],
    [
      "a tensor in another shard",
      () => sharded({ a: "1", b: "2", c: "1" }, { "1": ["a"], "2": ["b", "c"] }),
      /puts c into 1, but 2 holds it/
    ],
    ["a tensor in no shard", () => sharded({ a: "1", b: "1" }, { "1": ["a"] }), /puts b into 1, but no file holds it/],
    [
      "a tensor in two shards",
      () => sharded({ a: "1", b: "2" }, { "1": ["a"], "2": ["a", "b"] }),
      /tensor a is stored twice: in 1 and in 2/
    ],
    [
      "a shard outside the folder",
      () => sharded({ a: "../x", b: "/etc/passwd", c: 5, d: "..\\x" }, {}),
      /a into "\.\.\/x".*b into "\/etc.*c into 5.*d into/s
    ],
    [
      "a truncated file",
      () => folderOf({ "config.json": {}, "model.safetensors": safetensors([tensor("a")]).subarray(0, -1) }),
      /model\.safetensors: the tensor a ends at/
    ],
    [
      "a hostile header",
      () =>
        folderOf({ "config.json": {}, "model.safetensors": rawSafetensors("{}", new Uint8Array(0), 2n ** 64n - 1n) }),
      /claims 18446744073709551615 bytes/
    ]
  ])("refuses %s", ([, make, fault]) => Effect.map(problems(make()), (found) => expect(found).toMatch(fault)))

  it.effect("names the faults of all shards at once, and stops at forty", () =>
    Effect.gen(function* () {
      const folder = sharded({ a: "1", b: "2" }, {})
      writeFileSync(join(folder, "1"), "short")
      expect((yield* problems(folder)).split("\n")).toHaveLength(2)
      const header = JSON.stringify(Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`t${at}`, 0])))
      const many = folderOf({ "config.json": {}, "model.safetensors": rawSafetensors(header) })
      const lines = (yield* problems(many)).split("\n")
      expect(lines).toHaveLength(41)
      expect(lines[40]).toBe("and 960 more")
    })
  )

  it("writes 16-bit variants that name their dtype", () => {
    const float = folderOf({
      "config.json": { torch_dtype: "float32" },
      "model.safetensors": safetensors([
        { name: "a", dtype: "F32", shape: [3], data: new Uint8Array(Float32Array.of(1, -2.5, 1 + 2 ** -9).buffer) }
      ])
    })
    const bits = (folder: string) =>
      new Uint16Array(new Uint8Array(readSafetensors(join(folder, "model.safetensors"))[0]!.data).buffer)
    expect([...bits(convertedCheckpoint(float, "BF16"))]).toEqual([0x3f80, 0xc020, 0x3f80])
    expect([...bits(convertedCheckpoint(float, "F16"))]).toEqual([0x3c00, 0xc100, 0x3c02])
    expect(readFileSync(join(convertedCheckpoint(float, "F16"), "config.json"), "utf8")).toContain("float16")
  })
})
