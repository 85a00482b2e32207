import { describe, expect, it } from "vitest"
import { philox, uniform } from "../../../src/domain/sampling/generator.ts"

describe("the generator of draws", () => {
  it("is Philox4x32-10: the known answers of its authors", () => {
    expect(philox([0, 0], [0, 0, 0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
    const ones = 0xffffffff
    expect(philox([ones, ones], [ones, ones, ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
    expect(philox([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344])).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1
    ])
  })

  it("spreads evenly over [0, 1) along outputs and along seeds", () => {
    for (const at of [
      (i: number) => uniform(7, 0, i),
      (i: number) => uniform(i, 0, 0),
      (i: number) => uniform(1, i, 3)
    ]) {
      const bins = new Array<number>(64).fill(0)
      for (let i = 0; i < 64_000; i++) bins[Math.floor(at(i) * 64)]!++
      const chiSquare = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)
      expect(chiSquare).toBeLessThan(120) // 63 degrees of freedom: once in 20,000
    }
  })
})
