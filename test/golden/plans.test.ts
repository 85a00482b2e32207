import { describe, expect, it } from "vitest"
import { printPlan } from "../../src/domain/plan/print.ts"
import { compileFolder, folderOf } from "../support/golden.ts"
import { choiceOf, poolingFolder } from "../support/pooling.ts"

/** A diff of these files is the review of a pass. `npx vitest run test/golden/plans -u` writes them anew. */
describe("golden plans", () => {
  for (const name of ["llama-gqa", "opt-350m-like"])
    it(`${name} compiles to the committed plan`, async () => {
      await expect(printPlan(compileFolder(folderOf(name)).plan)).toMatchFileSnapshot(`plans/${name}.txt`)
    })
  for (const name of ["bert-cls-dense", "modernbert-embed", "qwen2-prm"])
    it(`${name} compiles to the committed plan, its pooler's heads behind it`, async () => {
      const { plan } = compileFolder(poolingFolder(name), { dtype: "auto", pooler: choiceOf(name) })
      await expect(printPlan(plan)).toMatchFileSnapshot(`plans/${name}.txt`)
    })
})
