import { cpSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layer } from "../../src/layers/compose/engine.ts"
import { complete } from "../../src/layers/engine/derived.ts"
import { make } from "../../src/layers/ModelSource.ts"
import { folderOf, readSafetensors, type TensorData, tempFolder } from "../support/checkpoints.ts"
import { goldenCases, folderOf as goldenFolder } from "../support/golden.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"
import {
  oldTorchFile,
  op,
  pickleOf,
  type TorchEntry,
  torchFile,
  torchZip,
  type ZipOptions,
  zipOf
} from "../support/torchFile.ts"

const brook = "models/brook"
const bin = "pytorch_model.bin"
const values = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)
const entry = (more: Partial<TorchEntry> = {}): TorchEntry => ({
  name: "a",
  dtype: "F32",
  shape: [2, 3],
  key: "0",
  elements: 6,
  ...more
})

/** A checkpoint's folder with its weights as torch.save writes them, in one file or in shards. */
const asTorch = (
  from: string,
  change: (tensors: ReadonlyArray<TensorData>) => ReadonlyArray<TensorData> = (all) => all,
  shards = 1
) => {
  const folder = tempFolder()
  for (const name of readdirSync(from))
    if (/\.(json|txt|jinja)$/.test(name) && !name.includes("safetensors")) cpSync(join(from, name), join(folder, name))
  const tensors = change(readSafetensors(join(from, "model.safetensors")))
  if (shards === 1) writeFileSync(join(folder, bin), torchFile(tensors))
  else {
    const fileOf = (at: number) => `pytorch_model-0000${(at % shards) + 1}-of-0000${shards}.bin`
    for (let shard = 0; shard < shards; shard++)
      writeFileSync(join(folder, fileOf(shard)), torchFile(tensors.filter((_, at) => at % shards === shard)))
    const weight_map = Object.fromEntries(tensors.map(({ name }, at) => [name, fileOf(at)]))
    writeFileSync(join(folder, `${bin}.index.json`), JSON.stringify({ metadata: {}, weight_map }))
  }
  return folder
}

const few = () => readSafetensors(join(brook, "model.safetensors")).slice(0, 3)

const found = (file: Uint8Array) =>
  Effect.flatMap(make.open(folderOf({ "config.json": {}, [bin]: file })), ({ tensors }) => tensors)
const faults = (file: Uint8Array) => Effect.map(Effect.flip(found(file)), ({ message }) => message)
const greedy = (model: string, prompt: string) =>
  complete({ prompt, params: { temperature: 0, maxTokens: 12, logprobs: 1 } }).pipe(
    Effect.map(({ outputs: [first] }) => first),
    Effect.provide(layer({ model, device: nativeBuilt() ? "cpu" : "reference", maxModelLen: 64, numThreads: 1 }))
  )

describe("pytorch_model.bin", () => {
  it.effect.each<readonly [string, ZipOptions]>([
    ["as torch writes it", {}],
    ["in zip64", { zip64: true }],
    ["with a comment that looks like an end", { comment: "PK\u0005\u0006 and more than twenty-two bytes" }]
  ])("gives every tensor its place in the file, %s", ([, options]) =>
    Effect.gen(function* () {
      const all = readSafetensors(join(brook, "model.safetensors")).slice(0, 9)
      const file = torchFile(all, options)
      const { tensors } = yield* found(file)
      expect(tensors.size).toBe(all.length)
      for (const { name, dtype, shape, data } of all) {
        const at = tensors.get(name)!
        expect(at).toMatchObject({ dtype, shape, bytes: data.length })
        expect(file.subarray(at.offset, at.offset + at.bytes).equals(data)).toBe(true)
      }
    })
  )

  it.effect("reads what torch before 1.6 wrote", () =>
    Effect.gen(function* () {
      const all = few()
      const tied = { ...all[1]!, name: "tied" }
      const file = oldTorchFile([...all, tied])
      const { tensors } = yield* found(file)
      expect(tensors.size).toBe(4)
      for (const { name, shape, data } of [...all, tied]) {
        const at = tensors.get(name)!
        expect(at.shape).toEqual(shape)
        expect(file.subarray(at.offset, at.offset + at.bytes).equals(data)).toBe(true)
      }
    })
  )

  it.live("answers as its safetensors twin does, to the bit; tied copies are no surplus", () =>
    Effect.gen(function* () {
      const twin = yield* greedy(brook, "Once upon a time")
      const model = asTorch(brook, (tensors) => [...tensors, { ...tensors[0]!, name: "a.second.name" }])
      expect(yield* greedy(model, "Once upon a time")).toEqual(twin)
      expect(yield* greedy(asTorch(brook, undefined, 3), "Once upon a time")).toEqual(twin)
      // Storages of old files begin anywhere, at odd bytes too.
      const old = asTorch(brook)
      writeFileSync(join(old, bin), oldTorchFile(readSafetensors(join(brook, "model.safetensors"))))
      expect(yield* greedy(old, "Once upon a time")).toEqual(twin)
    })
  )

  it.live("loads an OPT of vocab.json, merges.txt and pytorch_model.bin alone, its tied head stored twice", () =>
    Effect.gen(function* () {
      const model = asTorch(goldenFolder("opt-125m-like"), (tensors) => {
        const embedding = tensors.find(({ name }) => name.endsWith("embed_tokens.weight"))!
        return [...tensors.filter(({ name }) => name !== "lm_head.weight"), { ...embedding, name: "lm_head.weight" }]
      })
      const vocab = { "<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, a: 4, b: 5, ab: 6 }
      writeFileSync(join(model, "vocab.json"), JSON.stringify(vocab))
      writeFileSync(join(model, "merges.txt"), "#version: 0.2\na b\n")
      const [golden] = goldenCases("opt-125m-like")
      const { promptTokenIds, greedy: expected } = golden!
      const params = { temperature: 0, maxTokens: expected.length, ignoreEos: true }
      const output = yield* complete({ promptTokenIds, params }).pipe(
        Effect.provide(layer({ model, device: nativeBuilt() ? "cpu" : "reference", numThreads: 1 }))
      )
      expect(output.outputs[0]!.tokenIds).toEqual(expected)
    })
  )

  it.effect("lets tensors share bytes, start inside a storage, and stand under state_dict", () =>
    Effect.gen(function* () {
      const entries = [entry(), entry({ name: "tied" }), entry({ name: "tail", shape: [3], start: 3, parameter: true })]
      const { tensors } = yield* found(torchZip(pickleOf(entries), { "0": values }))
      const offset = tensors.get("a")!.offset
      expect(tensors.get("tied")).toMatchObject({ offset, bytes: 24 })
      expect(tensors.get("tail")).toMatchObject({ offset: offset + 12, bytes: 12, shape: [3] })
      const inner = pickleOf([entry()])
      const wrapped = Buffer.concat([
        op.proto,
        op.dict,
        op.mark,
        op.text("epoch"),
        op.int(3),
        op.text("state_dict"),
        inner.subarray(2, -1),
        op.setItems,
        op.stop
      ])
      expect((yield* found(torchZip(wrapped, { "0": values }))).tensors.size).toBe(1)
    })
  )

  const evil = (module: string, name: string) =>
    Buffer.concat([
      op.proto,
      op.global(module, name),
      op.mark,
      op.text("touch /tmp/owned"),
      op.tuple,
      op.reduce,
      op.stop
    ])
  it.effect.each([
    ["os", "system"],
    ["builtins", "eval"],
    ["torch", "load"],
    ["__main__", "hasOwnProperty"],
    ["torch._utils", "_rebuild_tensor_v2.__globals__"]
  ])("runs nothing: %s.%s is refused by name", ([module, name]) =>
    Effect.map(faults(torchZip(evil(module, name), {})), (message) =>
      expect(message).toContain(`it calls ${module}.${name}, which no table of tensors needs`)
    )
  )

  const broken = (more: Partial<TorchEntry>) => torchZip(pickleOf([entry(more)]), { "0": values })
  const patched = (file: Buffer, find: Uint8Array, replace: (at: number) => void) => {
    replace(file.indexOf(find))
    return file
  }
  it.effect.each<readonly [string, () => Uint8Array, RegExp]>([
    [
      "a transposed tensor",
      () => broken({ shape: [3, 2], strides: [1, 3] }),
      /strides \[1,3\]: save it with \.contiguous/
    ],
    ["a tensor beyond its storage", () => broken({ start: 1 }), /reaches to byte 28 of its storage, which has 24/],
    ["a vast shape", () => broken({ shape: [2 ** 40, 2 ** 40], strides: [2 ** 40, 1] }), /reaches to byte/],
    [
      "a storage that is not there",
      () => broken({ key: "../../x" }),
      /lies in data\/\.\.\/\.\.\/x, which the file lacks/
    ],
    ["a table without tensors", () => torchZip(pickleOf([]), {}), /holds no tensors/],
    ["a number in its place", () => torchZip(Buffer.concat([op.proto, op.int(1), op.stop]), {}), /no table of tensors/],
    ["a pickle that ends", () => torchZip(pickleOf([entry()]).subarray(0, 60), { "0": values }), /ends in the middle/],
    ["an unknown operation", () => torchZip(Buffer.from([0x80, 2, 0xff]), {}), /operation 0xff/],
    ["an empty stack", () => torchZip(Buffer.from([0x80, 2, 0x52]), {}), /empty stack/],
    ["compressed entries", () => torchZip(pickleOf([entry()]), { "0": values }, { method: 8 }), /is compressed/],
    ["a truncated file", () => broken({}).subarray(0, 200), /without a zip directory/],
    ["no pickle", () => zipOf({ "a/b": values }), /holds no data\.pkl/],
    [
      "big-endian numbers",
      () => zipOf({ "a/data.pkl": pickleOf([]), "a/byteorder": Buffer.from("big") }),
      /big-endian/
    ],
    ["an old file that is cut off", () => oldTorchFile(few()).subarray(0, -1), /its storage 2 lies outside the file/],
    ["an old file without its storages", () => oldTorchFile(few()).subarray(0, 300), /ends in the middle/],
    [
      "two entries of one name",
      () => patched(zipOf({ ab: values, ac: values }), Buffer.from("ac"), () => undefined),
      /no data\.pkl/
    ],
    [
      "an entry that claims to lie beyond the file",
      () => {
        const file = broken({})
        const directory = file.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]))
        file.writeUInt32LE(file.length, directory + 42)
        return file
      },
      /lies outside the file/
    ],
    [
      "a directory beyond the file",
      () => {
        const file = broken({})
        file.writeUInt32LE(0xfffffff0, file.length - 6)
        return file
      },
      /its directory lies outside the file/
    ]
  ])("refuses %s", ([, make, fault]) => Effect.map(faults(make()), (message) => expect(message).toMatch(fault)))

  it.effect.each([
    ["new", torchZip(pickleOf([entry()]), { "0": values })],
    ["old", oldTorchFile([{ name: "a", dtype: "F32", shape: [2, 3], data: values }])]
  ] as const)("survives any damage to any byte of a %s file with a sentence", ([, file]) =>
    Effect.gen(function* () {
      for (let at = 0; at < file.length; at += 3) {
        const damaged = Buffer.from(file)
        damaged[at] = damaged[at]! ^ 0xff
        const result = yield* Effect.either(found(damaged))
        if (result._tag === "Left") expect(result.left._tag).toBe("CheckpointInvalid")
        else
          for (const { offset, bytes } of result.right.tensors.values())
            expect(offset + bytes).toBeLessThanOrEqual(file.length)
      }
    })
  )
})
