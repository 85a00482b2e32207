import { describe, expect, it } from "vitest"
import { InvalidOptions, type InvalidRequest, type TaskUnsupported } from "../../../src/domain/errors.ts"
import type { PoolerFacts } from "../../../src/domain/model/poolerFacts.ts"
import { classifierActivation } from "../../../src/domain/pooling/classifierActivation.ts"
import { poolerChoice } from "../../../src/domain/pooling/poolerChoice.ts"
import { type PoolerSpec, poolerSpec, type SpecSources } from "../../../src/domain/pooling/poolerSpec.ts"
import { resolvePooling } from "../../../src/domain/pooling/resolvePooling.ts"

const embedder: PoolerFacts = {
  task: "embed",
  pooling: "LAST",
  pooledWidth: 8,
  eachWidth: 8,
  bidirectional: false,
  tokenTypes: false
}
const sources: SpecSources = { config: {}, options: { model: "m" }, facts: embedder, encoder: { lowercase: false } }
const modules = { dense: [], normalize: false, pooling: "CLS" as const }
const spec = (more: Partial<SpecSources> = {}): PoolerSpec => {
  const made = poolerSpec({ ...sources, ...more })
  if (!("kind" in made)) throw new Error(JSON.stringify(made))
  return made
}
const classifier = (labels: number): PoolerFacts => ({ ...embedder, task: "classify", pooledWidth: labels })
const fault = (task: "encode" | "embed" | "classify" | "score" | "reward", params: object, made: PoolerSpec) =>
  resolvePooling(task, params, made) as InvalidRequest | TaskUnsupported

describe("who says how a model pools", () => {
  const choice = (options: object, more: object = {}) =>
    poolerChoice({
      config: { architectures: ["BertModel"] },
      options: { model: "m", ...options },
      ...more
    })

  it("is the user over modules.json over the architecture", () => {
    expect(choice({}).pooling).toBeUndefined()
    expect(choice({}, { modules }).pooling).toBe("CLS")
    expect(choice({ overridePoolerConfig: { poolingType: "MEAN" } }, { modules }).pooling).toBe("MEAN")
  })
  it("is the user over modules.json over the table for normalisation", () => {
    expect(spec().normalize).toBe(true)
    expect(spec({ modules }).normalize).toBe(false)
    expect(spec({ modules, options: { model: "m", overridePoolerConfig: { normalize: true } } }).normalize).toBe(true)
  })
  it("is modules.json, a task or classifier_from_token for a model that generates", () => {
    const config = { architectures: ["Qwen3ForCausalLM"] }
    const convert = (options: object, more: object = {}) =>
      poolerChoice({ config, options: { model: "m", ...options }, ...more }).convert
    expect(convert({})).toBeUndefined()
    expect(convert({}, { modules })).toBe("embed")
    expect(convert({ overridePoolerConfig: { poolingType: "LAST" } })).toBe("embed")
    expect(convert({ overridePoolerConfig: { poolingType: "LAST" }, task: "generate" })).toBeUndefined()
    expect(convert({ task: "embed" })).toBe("embed")
    expect(convert({ task: "classify" })).toBe("classify")
    expect(convert({}, { classifierTokens: [1, 2] })).toBe("classify")
  })
  it("makes every token's hidden state of a plain model's rewards", () => {
    const made = choice({ task: "reward" }, { modules })
    expect(made).toEqual({ pooling: "ALL" })
    const given = spec({ options: { model: "m", task: "reward" }, facts: { ...embedder, pooling: "ALL" } })
    expect([given.tasks, given.normalize]).toEqual([["encode", "reward"], false])
  })
})

describe("a classifier's activation", () => {
  it.each([
    [
      { sentence_transformers: { activation_fn: "torch.nn.modules.linear.Identity" }, problem_type: "x" },
      1,
      "identity"
    ],
    [{ sbert_ce_default_activation_function: "torch.nn.modules.activation.Sigmoid" }, 3, "sigmoid"],
    [{ problem_type: "regression" }, 3, "identity"],
    [{ problem_type: "multi_label_classification" }, 3, "sigmoid"],
    [{}, 1, "sigmoid"],
    [{}, 2, "softmax"]
  ])("of %j with %i labels is %3$s", (config, labels, wanted) =>
    expect(classifierActivation(config, labels)).toBe(wanted)
  )
  it("that is unknown is named", () =>
    expect(classifierActivation({ sbert_ce_default_activation_function: "torch.nn.GELU" }, 1)).toMatchObject({
      problem: expect.stringContaining("torch.nn.GELU")
    }))
})

describe("what a model can do", () => {
  it.each([
    [embedder, ["encode", "embed", "score"]],
    [{ ...embedder, pooling: "ALL" }, ["encode"]],
    [{ ...embedder, task: "tokenEmbed", pooling: "ALL" }, ["encode", "score"]],
    [classifier(1), ["encode", "classify", "score"]],
    [classifier(3), ["encode", "classify"]],
    [{ ...classifier(3), task: "tokenClassify", pooling: "ALL" }, ["encode"]],
    [{ ...embedder, task: "reward", pooling: "ALL" }, ["encode", "reward"]]
  ] as ReadonlyArray<readonly [PoolerFacts, ReadonlyArray<string>]>)("follows from %j", (facts, tasks) =>
    expect(spec({ facts }).tasks).toEqual(tasks)
  )

  it("is said where it cannot do what was asked", () => {
    const wrong = fault("classify", {}, spec())
    expect(wrong).toMatchObject({ _tag: "TaskUnsupported", task: "classify", supported: ["encode", "embed", "score"] })
    const labels = fault("score", {}, spec({ facts: classifier(3) }))
    expect(labels.message).toMatch(/num_labels is 3/)
  })
  it("is no task that the architecture was not made for", () => {
    const refused = poolerSpec({ ...sources, options: { model: "m", task: "classify" } })
    expect(refused).toBeInstanceOf(InvalidOptions)
    expect(refused).toMatchObject({ field: "task" })
  })
})

describe("a request's parameters", () => {
  it.each([
    ["dimensions over the width", {}, { dimensions: 9 }, "dimensions"],
    ["dimensions outside the list", { matryoshka_dimensions: [2, 4] }, { dimensions: 3 }, "dimensions"],
    ["dimensions where none were trained", { is_matryoshka: false }, { dimensions: 4 }, "dimensions"],
    ["activation of an embedding", {}, { activation: true }, "activation"],
    ["a step tag where there is one row", {}, { stepTagId: 3 }, "stepTagId"],
    ["columns beyond the row", {}, { returnedTokenIds: [8] }, "returnedTokenIds"]
  ])("refuse %s", (_, config, params, field) => {
    expect(fault("embed", params, spec({ config }))).toMatchObject({ _tag: "InvalidRequest", field })
  })
  it("refuse what an embedding alone has, for a classifier", () => {
    const made = spec({ facts: classifier(3) })
    expect(fault("classify", { dimensions: 2 }, made)).toMatchObject({ field: "dimensions" })
    expect(fault("classify", { normalize: true }, made)).toMatchObject({ field: "normalize" })
  })
  it("allow dimensions that are listed, and any where config.json says nothing", () => {
    expect(fault("embed", { dimensions: 4 }, spec({ config: { matryoshka_dimensions: [2, 4] } }))).toHaveProperty(
      "target"
    )
    expect(fault("embed", { dimensions: 5 }, spec())).toHaveProperty("target")
  })
  it("win over the engine's, and those over the family's", () => {
    const facts: PoolerFacts = { ...embedder, task: "reward", pooling: "STEP", eachWidth: 2 }
    const steps = (options: object, params: object) => {
      const made = spec({ facts, options: { model: "m", ...options }, familyStepTag: 7 })
      const resolved = resolvePooling("reward", params, made)
      return "target" in resolved ? [...(resolved.target([7, 8, 9, 7], undefined).each as Int32Array)] : resolved
    }
    expect(steps({}, {})).toEqual([0, 3])
    expect(steps({ overridePoolerConfig: { stepTagId: 8 } }, {})).toEqual([1])
    expect(steps({ overridePoolerConfig: { stepTagId: 8 } }, { stepTagId: 9 })).toEqual([2])
    expect(steps({}, { stepTagId: 5 })).toEqual([])
  })
})
