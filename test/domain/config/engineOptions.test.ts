import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { decodeEngineOptions, EngineOptions } from "../../../src/domain/config/engineOptions.ts"
import { fieldsOf } from "../../../src/domain/config/fields.ts"

const model = "models/brook"
const refusal = (given: unknown) => {
  const result = decodeEngineOptions(given)
  if (Either.isRight(result)) throw new Error(`accepted ${JSON.stringify(given)}`)
  return result.left
}

describe("EngineOptions", () => {
  it("takes a model alone, and every default that it states", () => {
    expect(decodeEngineOptions({ model })).toEqual(Either.right({ model }))
    const stated = fieldsOf(EngineOptions.ast).filter((field) => field.default !== undefined)
    const all = Object.fromEntries(stated.map((field) => [field.name, field.default]))
    expect(stated.length).toBeGreaterThan(15)
    expect(decodeEngineOptions({ model, ...all })).toEqual(Either.right({ model, ...all }))
  })

  it("describes every option", () => {
    for (const field of fieldsOf(EngineOptions.ast)) expect(field.description, field.name).toMatch(/\.$/)
  })

  it.each([
    ["maxModelLength", "maxModelLen"],
    ["max_model_len", "maxModelLen"],
    ["dtpye", "dtype"],
    ["Model", "model"],
    ["gpu_memory_utilisation", "gpuMemoryUtilization"]
  ])("suggests the nearest name for %s", (given, meant) => {
    const error = refusal({ model, [given]: 1 })
    expect(error._tag).toBe("InvalidOptions")
    expect(error.field).toBe(given)
    expect(error.mend).toBe(`Did you mean ${meant}?`)
  })

  it("lists the names when none is near", () => {
    expect(refusal({ model, zebra: 1 }).mend).toContain("maxNumBatchedTokens")
    expect(refusal({ model, ["x".repeat(1e6)]: 1 }).field.length).toBeLessThan(200)
  })

  it.each([
    [{}, "model", "nothing"],
    [{ model: "" }, "model", '""'],
    [{ model, maxModelLen: 0 }, "maxModelLen", "0"],
    [{ model, maxModelLen: 1.5 }, "maxModelLen", "1.5"],
    [{ model, maxModelLen: Number.NaN }, "maxModelLen", "NaN"],
    [{ model, maxNumSeqs: "4" }, "maxNumSeqs", '"4"'],
    [{ model, blockSize: 24 }, "blockSize", "24"],
    [{ model, dtype: "int8" }, "dtype", '"int8"'],
    [{ model, gpuMemoryUtilization: Number.POSITIVE_INFINITY }, "gpuMemoryUtilization", "Infinity"],
    [{ model, gpuMemoryUtilization: 0 }, "gpuMemoryUtilization", "0"],
    [{ model, maxParkedTime: "soon" }, "maxParkedTime", '"soon"'],
    [{ model, overridePoolerConfig: { normalise: true } }, "overridePoolerConfig.normalise", "true"]
  ])("refuses %j by naming %s and what stood there", (given, field, shown) => {
    const error = refusal(given)
    expect(error.field).toBe(field)
    expect(error.given).toBe(shown)
    expect(error.message).toContain(error.expected)
    expect(error.mend).not.toBe("")
  })

  it("says what was expected in words", () => {
    expect(refusal({ model, maxModelLen: 1.5 }).expected).toBe("a whole number of at least 2")
    expect(refusal({ model, numThreads: 5000 }).expected).toBe("a whole number from 1 to 1,024")
    expect(refusal({ model, dtype: "int8" }).expected).toBe('"auto" or "float32" or "float16" or "bfloat16"')
  })

  it.each([undefined, null, 7, "models/brook", []])("refuses %j in place of the options", (given) => {
    expect(refusal(given).field).toBe("(all of them)")
  })

  it.each([{ quantization: "awq" }, { tensorParallelSize: 2 }, { cpuOffloadGb: 1 }])(
    "refuses %j, which nothing serves yet, rather than ignore it",
    (extra) => {
      const error = refusal({ model, ...extra })
      expect(error.field).toBe(Object.keys(extra)[0])
      expect(error.mend).toContain("does not serve it yet")
    }
  )

  it("treats undefined as not given", () => {
    expect(Either.isRight(decodeEngineOptions({ model, seed: undefined, quantization: undefined }))).toBe(true)
  })
})
