import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { eachGrapheme } from "../../../src/domain/tokenizer/graphemes.ts"

const cut = (text: string): Array<string> => {
  const graphemes: Array<string> = []
  eachGrapheme(text, (grapheme) => graphemes.push(grapheme))
  return graphemes
}
const whole = (text: string): Array<string> =>
  Array.from(new Intl.Segmenter("und", { granularity: "grapheme" }).segment(text), ({ segment }) => segment)

describe("graphemes", () => {
  it("are those of the whole text, wherever a window ends", () => {
    // What joins with its neighbours: marks, joiners, flags, skin tones, Hangul, line ends, halves of surrogates.
    const units = [
      "a",
      " ",
      "\r",
      "\n",
      "\u0301",
      "\u200d",
      "\u{1F468}",
      "\u{1F1E9}",
      "\u{1F3FB}",
      "\u1100",
      "\u1161",
      "水",
      "\ud800"
    ]
    const text = FastCheck.array(FastCheck.constantFrom(...units), { maxLength: 900, size: "max" })
    FastCheck.assert(
      FastCheck.property(text, (parts) => {
        const joined = parts.join("")
        expect(cut(joined).join("|")).toBe(whole(joined).join("|"))
      }),
      // Shrinking takes minutes here, and the failing text says enough.
      { endOnFailure: true }
    )
  })

  it("may be longer than a window", () => {
    const text = `x${"\u0301".repeat(5000)}yz`
    expect(cut(text)).toEqual(whole(text))
  })
})
