import { describe, expect, it } from "vitest"
import { completeLength } from "../../../src/domain/tokenizer/utf8.ts"

describe("completeLength", () => {
  it("agrees with a streaming decoder on what may still become a character", () => {
    const interesting = [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xe1, 0xed, 0xf0, 0xf1, 0xf4, 0xf5]
    for (const a of interesting)
      for (const b of interesting)
        for (const c of interesting) {
          const bytes = Uint8Array.of(a, b, c)
          const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
          decoder.decode(bytes, { stream: true })
          const pending = decoder.decode() !== ""
          expect(completeLength(bytes) < 3, bytes.toString()).toBe(pending)
        }
  })
})
