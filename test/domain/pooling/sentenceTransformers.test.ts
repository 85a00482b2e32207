import { describe, expect, it } from "vitest"
import {
  readEncoderSettings,
  readModules,
  readSentenceTransformers
} from "../../../src/domain/pooling/sentenceTransformers.ts"

const entry = (kind: string, path: string) => ({ type: `sentence_transformers.models.${kind}`, path })
const pooling = { pooling_mode_cls_token: false, pooling_mode_mean_tokens: true }
const dense = { in_features: 8, out_features: 4, bias: true, activation_function: "torch.nn.modules.activation.ReLU" }

const read = (
  entries: ReadonlyArray<object>,
  settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>
) => {
  const modules = readModules(entries)
  if ("problem" in modules) return modules
  return readSentenceTransformers(
    modules,
    new Map(Object.entries(settings)) as ReadonlyMap<string, Readonly<Record<string, unknown>>>
  )
}

describe("modules.json", () => {
  it("says how rows are pooled, put through linears and normalised", () => {
    const entries = [
      entry("Transformer", ""),
      entry("Pooling", "1_Pooling"),
      entry("Dense", "2_Dense"),
      entry("Normalize", "3")
    ]
    expect(read(entries, { "1_Pooling": pooling, "2_Dense": dense })).toEqual({
      pooling: "MEAN",
      dense: [{ folder: "2_Dense", name: "2_Dense/linear", columns: 4, bias: true, activation: "relu" }],
      normalize: true
    })
  })
  it.each([
    ["an unknown module", [entry("CNN", "1_CNN")], {}, "sentence_transformers.models.CNN"],
    ["somebody's own module", [{ type: "custom_st.Transformer", path: "" }], {}, "custom_st.Transformer"],
    ["settings that are missing", [entry("Pooling", "1_Pooling")], {}, "1_Pooling/config.json"],
    ["a pooling we lack", [entry("Pooling", "1")], { "1": { pooling_mode_max_tokens: true } }, "max_tokens"],
    [
      "two poolings at once",
      [entry("Pooling", "1")],
      { "1": { ...pooling, pooling_mode_cls_token: true } },
      "cls_token and mean_tokens"
    ],
    [
      "an activation we lack",
      [entry("Pooling", "1"), entry("Dense", "2")],
      { "1": pooling, "2": { ...dense, activation_function: "torch.nn.Hardswish" } },
      "torch.nn.Hardswish"
    ]
  ])("with %s is refused with its name", (_, entries, settings, name) =>
    expect(read(entries, settings as Readonly<Record<string, Readonly<Record<string, unknown>>>>)).toMatchObject({
      problem: expect.stringContaining(name)
    })
  )
})

it("the encoder's settings give its length and whether it reads lower case", () => {
  expect(readEncoderSettings({ max_seq_length: 256, do_lower_case: true })).toEqual({ maxLength: 256, lowercase: true })
  expect(readEncoderSettings({ max_seq_length: null })).toEqual({ lowercase: false })
})
