import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import type { CheckpointTensors, TensorLocation } from "../../../src/domain/weights/checkpoint.ts"
import { matchWeights } from "../../../src/domain/weights/match.ts"
import { compileFolder, folderOf } from "../../support/golden.ts"

const { plan } = compileFolder(folderOf("gpt2"))

const location = (name: string, shape: ReadonlyArray<number>, dtype = "F32"): TensorLocation => ({
  name,
  dtype,
  shape,
  file: 0,
  offset: 0,
  bytes: 0
})

/** All that the plan asks for, spelt as `rename` says; then `changes` over it, undefined taking one away. */
const checkpoint = (
  rename: (name: string) => string,
  changes: Record<string, TensorLocation | undefined> = {}
): CheckpointTensors => {
  const tensors = new Map<string, TensorLocation>()
  for (const weight of plan.weights)
    if (weight.source === "checkpoint")
      for (const { tensor, rows, transposed } of weight.segments) {
        const shape = weight.kind === "vector" ? [rows] : transposed ? [weight.columns, rows] : [rows, weight.columns]
        tensors.set(rename(tensor), location(rename(tensor), shape))
      }
  for (const [name, change] of Object.entries(changes))
    if (change === undefined) tensors.delete(name)
    else tensors.set(name, change)
  return { files: ["model.safetensors"], tensors }
}

const same = (name: string) => name
const short = (name: string) => name.replace(/^transformer\./, "")

describe("matchWeights", () => {
  it("names segments as the files do, with or without the family's prefix", () => {
    expect(Either.getOrThrow(matchWeights(plan, checkpoint(same))).weights).toEqual(plan.weights)
    const shortened = Either.getOrThrow(matchWeights(plan, checkpoint(short)))
    const names = shortened.weights.flatMap((w) =>
      w.source === "checkpoint" ? w.segments.map(({ tensor }) => tensor) : []
    )
    expect(names).toContain("h.0.attn.c_attn.weight")
    expect(names.some((name) => name.startsWith("transformer."))).toBe(false)
  })

  it("passes over buffers, whatever their type, and a copy of the tied head", () => {
    const extra = {
      "h.0.attn.bias": location("h.0.attn.bias", [1, 1, 128, 128], "BOOL"),
      "h.1.attn.masked_bias": location("h.1.attn.masked_bias", []),
      "lm_head.weight": location("lm_head.weight", [384, 64])
    }
    expect(Either.isRight(matchWeights(plan, checkpoint(short, extra)))).toBe(true)
  })

  it("passes over a second name for the bytes of a weight, as files of torch.save have them for tied weights", () => {
    const extra = { again: location("ln_f.bias", [64]) }
    expect(Either.isRight(matchWeights(plan, checkpoint(short, extra)))).toBe(true)
  })

  it("reports all that is missing, misshapen, unreadable and unexpected at once", () => {
    const problems = Either.getOrThrow(
      Either.flip(
        matchWeights(
          plan,
          checkpoint(short, {
            "ln_f.bias": undefined,
            "h.0.attn.c_attn.weight": location("h.0.attn.c_attn.weight", [192, 64]),
            "h.1.ln_1.weight": location("h.1.ln_1.weight", [64], "I8"),
            "h.2.ln_1.weight": { ...location("h.2.ln_1.weight", [64]), offset: 4096 }
          })
        )
      )
    )
    expect([...problems].sort()).toEqual([
      "h.0.attn.c_attn.weight has the shape [192, 64]; config.json makes it [64, 192].",
      "h.1.ln_1.weight is stored as I8; this engine reads F32, F16, BF16.",
      "h.2.ln_1.weight is in the checkpoint, but GPT2LMHeadModel has no use for it.",
      "transformer.ln_f.bias [64] is missing."
    ])
  })

  it("says once what two uses of a tied tensor miss", () => {
    const problems = Either.getOrThrow(
      Either.flip(matchWeights(plan, checkpoint(same, { "transformer.wte.weight": undefined })))
    )
    expect(problems).toEqual(["transformer.wte.weight [384, 64] is missing."])
  })
})
