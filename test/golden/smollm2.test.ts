import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { LLM } from "../../src/index.ts"

const shared = resolve(import.meta.dirname, "../../../shared")
const real = join(shared, "real/smollm2-135m-instruct")
const present = existsSync(join(real, "gguf_to_safetensors.mjs"))
if (!present) console.warn(`SKIPPED: the tests on SmolLM2-135M need ${real}, which is not here.`)

interface Case {
  readonly name: string
  readonly promptTokenIds: ReadonlyArray<number>
  readonly greedy: ReadonlyArray<number>
  readonly mayDifferFromStep: number | null
  readonly bf16MayDifferFromStep: number | null
}
interface Expected {
  readonly cases: ReadonlyArray<Case>
  readonly perplexity: { readonly tokenIds: ReadonlyArray<number>; readonly meanNll: number }
}

describe.skipIf(!present)("SmolLM2-135M on the Cpu backend", () => {
  const expected: Expected = present
    ? JSON.parse(readFileSync(join(shared, "golden/real/smollm2.json"), "utf8"))
    : { cases: [], perplexity: { tokenIds: [], meanNll: 0 } }
  const folder = mkdtempSync(join(tmpdir(), "smollm2-"))
  beforeAll(() => {
    cpSync(join(real, "hf"), folder, { recursive: true })
    execFileSync("node", [
      join(real, "gguf_to_safetensors.mjs"),
      join(real, "SmolLM2-135M-Instruct.Q4_1.gguf"),
      join(folder, "model.safetensors")
    ])
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  describe.each([
    { dtype: "float32", within: 0.0005 },
    { dtype: "bfloat16", within: 0.006 }
  ] as const)("in $dtype", ({ dtype, within }) => {
    let llm: LLM
    beforeAll(async () => {
      llm = await LLM.create({ model: folder, device: "cpu", dtype, maxModelLen: 2048 })
    })
    afterAll(() => llm.close())

    it("has the reference's perplexity", async () => {
      const [output] = await llm.generate([...expected.perplexity.tokenIds], {
        temperature: 0,
        maxTokens: 1,
        promptLogprobs: 0
      })
      const logprobs = output!.promptLogprobs!.slice(1).map((entries) => entries![0]!.logprob)
      expect(logprobs).toHaveLength(expected.perplexity.tokenIds.length - 1)
      const mean = -logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length
      expect(Math.abs(mean - expected.perplexity.meanNll)).toBeLessThan(within)
    }, 120_000)

    it.each(expected.cases)("writes $name as the reference does, as far as it must", async (given) => {
      const may = dtype === "float32" ? given.mayDifferFromStep : given.bf16MayDifferFromStep
      const steps = may ?? given.greedy.length
      const [output] = await llm.generate([...given.promptTokenIds], {
        temperature: 0,
        maxTokens: given.greedy.length,
        ignoreEos: true
      })
      expect(output!.outputs[0]!.tokenIds.slice(0, steps)).toEqual(given.greedy.slice(0, steps))
    })
  })
})
