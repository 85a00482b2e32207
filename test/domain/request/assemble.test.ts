import { assert, describe, it } from "@effect/vitest"
import { makeAssembler, tokenLogprobs } from "../../../src/domain/request/assemble.ts"

const letters = () => ({
  push: (ids: ReadonlyArray<number>) => String.fromCharCode(...ids),
  flush: () => ""
})
const run = (text: string, stop: ReadonlyArray<string>, options: { include?: boolean; minTokens?: number } = {}) => {
  const assembler = makeAssembler({
    source: letters(),
    stop,
    includeStopStrInOutput: options.include ?? false,
    minTokens: options.minTokens ?? 0
  })
  const pieces: Array<string> = []
  for (const letter of text) {
    pieces.push(assembler.push(letter.charCodeAt(0), false))
    if (assembler.stop !== undefined) break
  }
  pieces.push(assembler.flush())
  return { pieces, text: pieces.join(""), stop: assembler.stop, tokens: assembler.tokens }
}

describe("Assembler", () => {
  it("holds back only what may become a stop string, and gives it when it does not", () => {
    const { pieces, stop } = run("xaaby", ["aac"])
    assert.deepStrictEqual(pieces, ["x", "", "", "aab", "y", ""])
    assert.isUndefined(stop)
  })

  it("cuts the text before the stop string, or after it where that is asked for", () => {
    assert.deepInclude(run("hello END more", ["END"]), { text: "hello ", stop: "END", tokens: 9 })
    assert.deepInclude(run("hello END more", ["END"], { include: true }), { text: "hello END", stop: "END" })
  })

  it("never lets a stop string through, whatever the order of overlapping ones", () => {
    for (const stop of [
      ["abc", "bcd"],
      ["bcd", "abc"],
      ["cd", "abcd"]
    ]) {
      const { text } = run("xxabcdyy", stop)
      assert.isTrue(stop.every((s) => !text.includes(s)))
      assert.isTrue("xxabcdyy".startsWith(text))
    }
  })

  it("gives what it held when the sequence ends inside a stop string", () => {
    assert.deepInclude(run("well EN", ["END"]), { text: "well EN", stop: undefined })
  })

  it("passes over a stop string that is complete within minTokens, and sees one that begins there", () => {
    assert.deepInclude(run("ab ab!", ["ab"], { minTokens: 3 }), { text: "ab ", stop: "ab" })
    assert.deepInclude(run("ab ab!", ["ab"], { minTokens: 4 }), { text: "ab ", stop: "ab" })
    assert.deepInclude(run("ab ab!", ["ab"], { minTokens: 5 }), { text: "ab ab!", stop: undefined })
  })

  it("gives no text for a stop token, but counts it", () => {
    const assembler = makeAssembler({ source: letters(), stop: [], includeStopStrInOutput: false, minTokens: 0 })
    assert.strictEqual(assembler.push(65, true), "")
    assert.strictEqual(assembler.tokens, 1)
  })
})

describe("tokenLogprobs", () => {
  const result = {
    tokens: Int32Array.of(0, 5),
    logprobs: Float32Array.of(0, -2),
    ranks: Int32Array.of(0, 2),
    faults: new Uint8Array(2),
    top: 3,
    topTokens: Int32Array.of(-1, -1, -1, 9, 5, -1),
    topLogprobs: Float32Array.of(0, 0, 0, -1, -2, 0),
    elapsed: 0
  }
  it("puts the row's own token first and no token twice", () => {
    assert.deepStrictEqual(
      tokenLogprobs(result, 1, 3, (id) => `t${id}`),
      [
        { tokenId: 5, logprob: -2, rank: 2, decodedToken: "t5" },
        { tokenId: 9, logprob: -1, rank: 1, decodedToken: "t9" }
      ]
    )
  })
  it("asked for none beside it, gives the row's own alone", () => {
    assert.deepStrictEqual(
      tokenLogprobs(result, 1, 0, undefined).map((entry) => entry.tokenId),
      [5]
    )
  })
})
