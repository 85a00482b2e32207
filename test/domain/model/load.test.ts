import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { type CompileOptions, compileModel } from "../../../src/domain/model/load.ts"
import { architectures } from "../../../src/domain/model/registry.ts"
import { folderOf } from "../../support/golden.ts"

const config = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folderOf(name), "config.json"), "utf8"))
const auto: CompileOptions = { dtype: "auto" }
const compiled = (json: Record<string, unknown>, options = auto) => Either.getOrThrow(compileModel(json, options))
const refused = (json: Record<string, unknown>, options = auto) =>
  Either.getOrThrow(Either.flip(compileModel(json, options)))
const windows = (json: Record<string, unknown>) =>
  compiled(json)
    .plan.instructions.filter(({ op }) => op === "attention")
    .map(({ attributes }) => attributes.window)

describe("compileModel", () => {
  it("states a model's facts", () =>
    expect(compiled(config("llama-gqa")).facts).toEqual({
      architecture: "LlamaForCausalLM",
      vocabSize: 384,
      maxPositions: 128,
      maxModelLen: 128,
      layers: 2,
      hiddenSize: 64,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      dtype: "float32",
      kvDtype: "float32",
      parameters: 141_632,
      kvBytesPerToken: 2 * 2 * 32 * 4,
      eosTokenIds: [2, 359, 300],
      bosTokenId: 0
    }))

  it("counts a tied tensor once", () => {
    const { facts, plan } = compiled(config("llama-tied-mha"))
    const apart = compiled({ ...config("llama-tied-mha"), tie_word_embeddings: false })
    expect(apart.facts.parameters - facts.parameters).toBe(352 * 64)
    expect(plan.weights.filter(({ name }) => name === "model.embed_tokens.weight").map(({ kind }) => kind)).toEqual([
      "table",
      "linear"
    ])
  })

  it("takes the checkpoint's dtype by either name, float32 when it names none, and the given one over it", () => {
    const { torch_dtype: _, ...bare } = config("llama-gqa")
    expect(compiled({ ...bare, torch_dtype: "bfloat16" }).facts.dtype).toBe("bfloat16")
    expect(compiled({ ...bare, dtype: "float16" }).facts.dtype).toBe("float16")
    expect(compiled(bare).facts.dtype).toBe("float32")
    expect(compiled(bare, { dtype: "auto", float32As: "float16" }).facts.dtype).toBe("float16")
    expect(compiled(bare, { dtype: "float32", float32As: "float16" }).facts.dtype).toBe("float32")
    expect(compiled({ ...bare, dtype: "bfloat16" }, { dtype: "auto", float32As: "float16" }).facts.dtype).toBe(
      "bfloat16"
    )
    const { plan, facts } = compiled({ ...bare, dtype: "float16" }, { dtype: "bfloat16", kvDtype: "float32" })
    expect([facts.dtype, facts.kvDtype, plan.dtype, plan.cacheGroups[0]!.dtype]).toEqual([
      "bfloat16",
      "float32",
      "bfloat16",
      "float32"
    ])
  })

  it("names what it has when an architecture is unknown or absent", () => {
    const error = refused({ ...config("llama-gqa"), architectures: ["RwkvForCausalLM"] })
    expect(error._tag).toBe("UnsupportedArchitecture")
    for (const { name } of architectures) expect(error.message).toContain(name)
    expect(refused({})._tag).toBe("UnsupportedArchitecture")
  })

  it("lists every wrong field at once", () => {
    const error = refused({
      ...config("llama-gqa"),
      hidden_size: "64",
      num_key_value_heads: 3,
      rms_norm_eps: -1,
      hidden_act: "mish",
      tie_word_embeddings: 1,
      torch_dtype: "int8",
      eos_token_id: "end",
      rope_scaling: { rope_type: "llama3", factor: 0 }
    })
    expect(error._tag).toBe("CheckpointInvalid")
    for (const field of [
      "hidden_size",
      "num_key_value_heads",
      "rms_norm_eps",
      "hidden_act",
      "tie_word_embeddings",
      "dtype",
      "eos_token_id",
      "rope_scaling.factor"
    ])
      expect(error.message).toContain(field)
  })

  it("refuses quantised weights by the name of their method", () => {
    const error = refused({ ...config("llama-gqa"), quantization_config: { quant_method: "gptq", bits: 4 } })
    expect(error._tag).toBe("CheckpointInvalid")
    expect(error.message).toContain("quantization_config asks for gptq")
  })

  it("misses no required field", () => {
    const error = refused({ architectures: ["GPT2LMHeadModel"] })
    for (const field of ["vocab_size", "n_embd", "n_head", "n_layer"]) expect(error.message).toContain(field)
  })

  it("refuses a length that the positions do not reach", () => {
    expect(refused(config("gpt2"), { dtype: "auto", maxModelLen: 129 })._tag).toBe("InvalidOptions")
    expect(compiled(config("gpt2"), { dtype: "auto", maxModelLen: 100 }).facts.maxModelLen).toBe(100)
  })

  it("stretches the length by the rope scaling's factor", () => {
    const scaled = (rope_scaling: unknown) => compiled({ ...config("llama-gqa"), rope_scaling }).facts.maxPositions
    expect(scaled({ type: "linear", factor: 4 })).toBe(512)
    expect(scaled({ type: "dynamic", factor: 2 })).toBe(256)
    expect(scaled({ rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 })).toBe(256)
    expect(scaled({ rope_type: "llama3", factor: 8, original_max_position_embeddings: 32 })).toBe(128)
  })

  it("raises the base once for dynamic scaling, as vLLM does", () => {
    const { plan } = compiled({ ...config("llama-gqa"), rope_scaling: { type: "dynamic", factor: 2 } })
    const frequency = plan.weights.find(({ source }) => source === "constant")
    const base = 10000 * (2 * 2 - 1) ** (16 / 14)
    const wanted = Float32Array.from({ length: 8 }, (_, i) => base ** (-i / 8))
    expect(frequency?.source === "constant" && frequency.values).toEqual(wanted)
  })

  it("slides where the family says so", () => {
    expect(windows(config("mistral-sliding"))).toEqual([16, 16, 16])
    expect(windows({ ...config("mistral-sliding"), sliding_window: null })).toEqual([0, 0, 0])
    const qwen = { ...config("qwen2"), use_sliding_window: true, max_window_layers: 1 }
    expect(windows(config("qwen2"))).toEqual([0, 0])
    expect(windows(qwen)).toEqual([0, 16])
    expect(windows({ ...qwen, layer_types: ["sliding_attention", "full_attention"] })).toEqual([16, 0])
    expect(compiled(qwen).plan.cacheGroups[0]!.window).toBe(0)
    expect(compiled(config("mistral-sliding")).plan.cacheGroups[0]!.window).toBe(16)
  })
})
