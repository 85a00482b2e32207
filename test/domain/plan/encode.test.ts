import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { opNames, opRecord } from "../../../src/domain/ops/table.ts"
import { encodeInstruction, encodePlan } from "../../../src/domain/plan/encode.ts"
import type { Plan } from "../../../src/domain/plan/plan.ts"

const header = readFileSync(new URL("../../../src/native/ops.h", import.meta.url), "utf8")
const structOf = (op: string) => header.split(`struct ${op[0]!.toUpperCase()}${op.slice(1)} {`)[1]!.split("};")[0]!

describe("encoding a plan", () => {
  it.each(opNames)("%s has as many words as its struct in ops.h", (op) => {
    const { outputs, inputs, attributes } = opRecord(op)
    const operands = [...Object.keys(outputs), ...Object.keys(inputs)].map(() => ({ kind: "none" }) as const)
    const values = Object.fromEntries(Object.keys(attributes).map((name) => [name, 1]))
    const [code, words, ...rest] = encodeInstruction({ op, operands, attributes: values })
    const struct = structOf(op)
    const expected =
      4 * (struct.match(/^ {2}Operand /gm)?.length ?? 0) + (struct.match(/^ {2}(int32_t|float|Dtype) /gm)?.length ?? 0)
    expect(code).toBe(opNames.indexOf(op))
    expect(words).toBe(expected)
    expect(rest).toHaveLength(expected)
  })

  it("writes operands in the record's order and float attributes as their bits", () => {
    const words = encodeInstruction({
      op: "rmsNorm",
      operands: [
        { kind: "view", slot: 3, column: 8, columns: 64 },
        { kind: "view", slot: 2, column: 0, columns: 64 },
        { kind: "weight", weight: 7 }
      ],
      attributes: { eps: 1, groups: 2 }
    })
    expect(words).toEqual([opNames.indexOf("rmsNorm"), 14, 1, 3, 8, 64, 1, 2, 0, 64, 2, 7, 0, 0, 2, 0x3f800000])
  })

  it("refuses an instruction without an attribute of its record", () =>
    expect(() => encodeInstruction({ op: "rope", operands: [], attributes: { heads: 1 } })).toThrow("interleaved"))

  it("flattens slots, groups and logits", () => {
    const plan: Plan = {
      architecture: "test",
      dtype: "float32",
      instructions: [],
      headStart: 0,
      slots: [
        { rows: "tokens", width: 4, offset: 0 },
        { rows: "outputs", width: 9, offset: 64 }
      ],
      tokenBytes: 64,
      outputBytes: 128,
      weights: [],
      cacheGroups: [{ layers: 2, kvHeads: 3, keyDim: 16, valueDim: 8, dtype: "float16", window: 5 }],
      logits: { kind: "view", slot: 1, column: 1, columns: 8 },
      vocabSize: 8
    }
    const encoded = encodePlan(plan)
    expect([...encoded.slots]).toEqual([0, 4, 0, 1, 9, 64])
    expect([...encoded.groups]).toEqual([2, 3, 16, 8, 2, 5])
    expect([...encoded.logits]).toEqual([1, 1, 8])
  })
})
