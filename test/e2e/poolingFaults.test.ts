import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { LLM, type PoolingInput, PoolingParams } from "../../src/index.ts"
import { tempFolder } from "../support/checkpoints.ts"
import { poolingFolder } from "../support/poolingGolden.ts"

const open = (name: string, options: object = {}) => LLM.create({ model: poolingFolder(name), ...options })
const refusal = (promise: Promise<unknown>): Promise<Record<string, unknown>> =>
  promise.then(
    () => expect.fail("it was not refused"),
    (error) => error
  )
const changed = (name: string, change: (folder: string) => void): string => {
  const folder = tempFolder()
  cpSync(poolingFolder(name), folder, { recursive: true })
  change(folder)
  return folder
}
const edit = (path: string, change: (json: never) => unknown) =>
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")) as never)))

describe("a method that the model cannot serve", () => {
  const chat = [{ role: "user", content: "a" }]
  it("is refused, and what it can is said: generate on an encoder", async () => {
    await using llm = await open("bert-embed")
    const supported = ["encode", "embed", "score"]
    const calls = [() => llm.generate("a"), () => llm.chat(chat), () => llm.classify("a"), () => llm.reward("a")]
    for (const call of calls) expect(await refusal(call())).toMatchObject({ _tag: "TaskUnsupported", supported })
    expect(await refusal(llm.stream("a")[Symbol.asyncIterator]().next())).toMatchObject({ _tag: "TaskUnsupported" })
  })

  it("is refused: score by a classifier of three labels, embed by a model that generates", async () => {
    await using labels = await open("roberta-classify")
    expect(await refusal(labels.score("a", "b"))).toMatchObject({
      _tag: "TaskUnsupported",
      message: expect.stringMatching(/num_labels is 3.*encode, classify/)
    })
    await using brook = await LLM.create({ model: new URL("../../models/brook", import.meta.url).pathname })
    expect(await refusal(brook.embed("a"))).toMatchObject({ _tag: "TaskUnsupported", supported: ["generate"] })
    expect(await refusal(brook.score("a", "b"))).toMatchObject({ _tag: "TaskUnsupported", supported: ["generate"] })
  })
})

describe("a request that makes no sense", () => {
  it.each([
    [{ dimensions: 65 }, "dimensions"],
    [{ dimensions: 0 }, "dimensions"],
    [{ activation: false }, "activation"],
    [{ stepTagId: 1 }, "stepTagId"],
    [{ truncatePromptTokens: 0 }, "truncatePromptTokens"],
    [{ truncatePromptTokens: 2 }, "truncatePromptTokens"],
    [{ truncatePromptTokens: 161 }, "truncatePromptTokens"],
    [{ normalise: true }, "normalise"]
  ])("is refused by its field: %j", async (params, field) => {
    await using llm = await open("bert-embed")
    expect(await refusal(llm.embed("some text", params as PoolingInput))).toMatchObject({
      _tag: "InvalidRequest",
      field
    })
  })

  it("is refused for its lists, its adapter, its ids", async () => {
    await using llm = await open("bert-embed")
    const cases: ReadonlyArray<readonly [() => Promise<unknown>, string]> = [
      [() => llm.score(["a", "b"], ["a", "b", "c"]), "texts2"],
      [() => llm.score(["a", "b"], "a"), "texts2"],
      [() => llm.score([], "a"), "texts2"],
      [() => llm.score("a", "b", { chatTemplate: "x" }), "chatTemplate"],
      [() => llm.score("a", "b", { poolingParams: { dimensions: 99 } }), "dimensions"],
      [() => llm.score("a", "b", { lora: "x" }), "lora"],
      [() => llm.embed(["a", "b"], [{}]), "params"],
      [() => llm.embed("a", {}, { lora: "x" }), "lora"],
      [() => llm.embed([486]), "promptTokenIds[0]"],
      [() => llm.embed({ promptTokenIds: [] }), "prompt"]
    ]
    for (const [call, field] of cases) expect(await refusal(call())).toMatchObject({ _tag: "InvalidRequest", field })
    expect(() => new PoolingParams({ dimensions: -1 })).toThrow(/dimensions/)
  })

  it("is a text without any token; with a template the empty text is answered", async () => {
    await using bare = await open("gpt2-classify")
    expect(await refusal(bare.classify(""))).toMatchObject({ _tag: "InvalidRequest", field: "prompt" })
    await using dressed = await open("bert-embed")
    const [output] = await dressed.embed("")
    expect(output!.promptTokenIds).toHaveLength(2)
  })

  it("is a text over maxModelLen, unless it may be cut: special tokens stay", async () => {
    await using llm = await open("roberta-classify")
    const text = "the mill stands by the river ".repeat(60)
    expect(await refusal(llm.classify(text))).toMatchObject({ _tag: "PromptTooLong", maxModelLen: 160 })
    const [whole] = await llm.classify(text, { truncatePromptTokens: -1 })
    expect(whole!.promptTokenIds).toHaveLength(160)
    const [cut] = await llm.classify(text, { truncatePromptTokens: 16 })
    expect(cut!.promptTokenIds).toHaveLength(16)
    for (const { promptTokenIds } of [whole!, cut!]) expect([promptTokenIds[0], promptTokenIds.at(-1)]).toEqual([0, 2])
  })
})

describe("a start that makes no sense", () => {
  it.each([
    ["bert-embed", { task: "classify" }, "task"],
    ["bert-cross-encoder", { task: "embed" }, "task"],
    ["bert-embed", { task: "generate" }, "task"],
    ["bert-embed", { maxNumBatchedTokens: 64 }, "maxNumBatchedTokens"],
    ["bert-cross-encoder", { overridePoolerConfig: { normalize: true } }, "overridePoolerConfig.normalize"],
    ["bert-embed", { overridePoolerConfig: { activation: true } }, "overridePoolerConfig.activation"],
    ["bert-embed", { overridePoolerConfig: { stepTagId: 3 } }, "overridePoolerConfig.stepTagId"],
    ["qwen2-prm", { overridePoolerConfig: { returnedTokenIds: [2] } }, "overridePoolerConfig.returnedTokenIds"],
    ["bert-embed", { overridePoolerConfig: { poolingType: "MAX" } }, "overridePoolerConfig.poolingType"],
    ["llama-as-embedding", { task: "generate", overridePoolerConfig: { poolingType: "MEAN" } }, "overridePoolerConfig"]
  ])("is refused by its field: %s with %j", async (name, options, field) => {
    expect(await refusal(open(name, options))).toMatchObject({ _tag: "InvalidOptions", field })
  })

  it("is a checkpoint whose modules are missing or unknown, and it is named", async () => {
    const noWeights = changed("bert-cls-dense", (folder) => rmSync(join(folder, "2_Dense/model.safetensors")))
    const noSettings = changed("bert-cls-dense", (folder) => rmSync(join(folder, "2_Dense/config.json")))
    const noBias = changed("bert-cls-dense", (folder) =>
      edit(join(folder, "2_Dense/config.json"), (json: object) => ({ ...json, out_features: 47 }))
    )
    const strange = changed("bert-embed", (folder) =>
      edit(join(folder, "modules.json"), (json: Array<object>) => [
        ...json.slice(0, 2),
        { idx: 2, name: "2", path: "2_LSTM", type: "sentence_transformers.models.LSTM" }
      ])
    )
    for (const [model, named] of [
      [noWeights, /2_Dense/],
      [noSettings, /2_Dense\/config\.json/],
      [noBias, /2_Dense\/linear\.weight has the shape \[48, 64\]/],
      [strange, /sentence_transformers\.models\.LSTM/]
    ] as const)
      expect(await refusal(LLM.create({ model }))).toMatchObject({
        _tag: "CheckpointInvalid",
        message: expect.stringMatching(named)
      })
  })
})
