import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { compile, passes } from "../../../src/domain/plan/compile.ts"
import { lower } from "../../../src/domain/plan/lower.ts"
import type { Plan } from "../../../src/domain/plan/plan.ts"
import { layer } from "../../../src/layers/backend/Reference.ts"
import { make as source } from "../../../src/layers/ModelSource.ts"
import { Backend } from "../../../src/services/Backend.ts"
import { blockSize } from "../../support/batch.ts"
import { compileFolder, folderOf, goldenCases, goldenNames, stepOf } from "../../support/golden.ts"

const answer = (name: string, plan: Plan) =>
  Effect.gen(function* () {
    const tensors = yield* (yield* source.open(folderOf(name))).tensors
    const capacity = { maxTokens: 40, maxSequences: 1, blocks: 8, blockSize }
    const model = yield* (yield* Backend).load({ plan, tensors, capacity })
    const prompt = goldenCases(name)[2]!.promptTokenIds
    const { elapsed: _, ...first } = yield* model.step(stepOf(0, prompt, 0, true))
    const { elapsed: __, ...second } = yield* model.step(stepOf(1, [first.tokens.at(-1)!], prompt.length, false))
    return [first, second]
  }).pipe(Effect.scoped, Effect.provide(layer))

/** On the interpreter a pass may change neither a product nor the order of a sum. */
describe("passes keep every bit", () => {
  for (const name of goldenNames)
    it.live(name, () =>
      Effect.gen(function* () {
        const { graph } = compileFolder(folderOf(name))
        const plain = yield* answer(name, lower(graph))
        for (const { run } of passes) expect(yield* answer(name, lower(run(graph)))).toEqual(plain)
        expect(yield* answer(name, compile(graph))).toEqual(plain)
      })
    )
})
