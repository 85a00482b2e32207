import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { LLM } from "../../src/index.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

/** Brook with a tokenizer that has more ids (up to 2050) than the model has rows (2048), as checkpoints with added tokens do. */
const brook = resolve(import.meta.dirname, "../../models/brook")
const folder = mkdtempSync(join(tmpdir(), "millrace-vocabulary-"))

let llm: LLM
beforeAll(async () => {
  for (const name of ["config.json", "model.safetensors", "tokenizer_config.json"])
    symlinkSync(join(brook, name), join(folder, name))
  const tokenizer = JSON.parse(readFileSync(join(brook, "tokenizer.json"), "utf8"))
  const last = tokenizer.added_tokens.at(-1)
  for (let id = last.id + 1; id <= 2050; id++) tokenizer.added_tokens.push({ ...last, id, content: `<extra ${id}>` })
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer))
  const device = nativeBuilt() ? "cpu" : "reference"
  llm = await LLM.create({ model: folder, device, maxModelLen: 128, maxNumSeqs: 2 })
})
afterAll(async () => {
  await llm.close()
  rmSync(folder, { recursive: true })
})

describe("where the tokenizer knows more ids than the model has rows", () => {
  it("an id past the embedding table is refused in a prompt, by the table's size, as an id or as text", async () => {
    for (const prompt of [[5, 2048], "mill <extra 2050>"])
      await expect(llm.generate(prompt)).rejects.toMatchObject({
        _tag: "InvalidRequest",
        field: expect.stringMatching(/^promptTokenIds\[\d+\]$/),
        expected: expect.stringContaining("2048 rows")
      })
    await expect(llm.generate([5, 2047], { maxTokens: 1 })).resolves.toHaveLength(1)
  })

  it("parameters may name every id that has text, and none past that", async () => {
    const params = { temperature: 0, maxTokens: 6, ignoreEos: true }
    const [free] = await llm.generate("The mill", params)
    const [same] = await llm.generate("The mill", {
      ...params,
      stopTokenIds: [2050],
      logitBias: { 2049: 100 },
      badWords: ["<extra 2048>"]
    })
    expect(same!.outputs).toEqual(free!.outputs)
    const [seven] = await llm.generate("The mill", { ...params, allowedTokenIds: [2050, 7] })
    expect(seven!.outputs[0]!.tokenIds).toEqual(Array(6).fill(7))
    for (const [field, given] of [
      ["stopTokenIds[0]", { stopTokenIds: [2051] }],
      ["logitBias.2051", { logitBias: { 2051: 1 } }],
      ["allowedTokenIds[1]", { allowedTokenIds: [7, 2051] }]
    ] as const)
      await expect(llm.generate("The mill", given)).rejects.toMatchObject({ _tag: "InvalidRequest", field })
  })
})
