import { describe, expect, it } from "vitest"
import { countTokens, progressBar } from "../../../src/domain/request/progress.ts"

const half = { finished: 2, total: 4, promptTokens: 90, generationTokens: 300, elapsedMillis: 2000 }

describe("the bar of a batch", () => {
  it("speaks as tqdm does", () =>
    expect(progressBar(half, 140)).toBe(
      `Processed prompts:  50%|${"█".repeat(15)}${" ".repeat(15)}| 2/4 [00:02<00:02, 1.00 it/s, input: 45.0 tokens/s, output: 150.0 tokens/s]`
    ))

  it("knows no time left before the first has ended, says slow paces the other way round, and shows hours", () => {
    expect(progressBar({ ...half, finished: 0 })).toContain("0/4 [00:02<?, ? it/s,")
    expect(progressBar({ ...half, elapsedMillis: 8000 })).toContain("4.00 s/it")
    expect(progressBar({ ...half, elapsedMillis: 3_725_000 })).toContain("[1:02:05<1:02:05,")
    expect(progressBar({ ...half, total: 0, finished: 0, elapsedMillis: 0 })).toContain("100%|")
  })

  it("is never wider than its terminal", () => {
    for (const columns of [10, 40, 79, 100]) expect(progressBar(half, columns).length).toBeLessThanOrEqual(columns)
    expect(progressBar(half, 79)).toContain("50%|█████     |")
  })

  it("counts all replies to a prompt, and none of a pooling request", () => {
    const outputs = [{ tokenIds: [1, 2] }, { tokenIds: [3] }]
    expect(countTokens({ promptTokenIds: [1], outputs })).toEqual({ promptTokens: 1, generationTokens: 3 })
    expect(countTokens({ promptTokenIds: [1, 2], outputs: { embedding: [1] } })).toEqual({
      promptTokens: 2,
      generationTokens: 0
    })
  })
})
