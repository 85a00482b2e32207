import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { load } from "../../src/layers/Tokenizer.ts"
import type { TokenizerInstance } from "../../src/services/Tokenizer.ts"
import { folderAt } from "../support/modelFolder.ts"

const cases = new URL("../golden/cases/tokenizers/", import.meta.url).pathname
const open = (path: string): Promise<TokenizerInstance> => Effect.runPromise(load(folderAt(path)))
const brook = await open(new URL("../../models/brook", import.meta.url).pathname)
const folders = ["gpt2", "llama3", "qwen2", "deepseek-v3", "llama2-spm", "gemma", "t5-unigram", "bert-uncased"] as const
const tokenizers = new Map<string, TokenizerInstance>()
for (const name of folders) tokenizers.set(name, await open(cases + name))

const anyText = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 60 }),
  FastCheck.string({ unit: "grapheme", maxLength: 60 })
)
const whole = { promptTokenIds: [], skipSpecialTokens: false, spacesBetweenSpecialTokens: true }
const stream = (tokenizer: TokenizerInstance, chunks: ReadonlyArray<ReadonlyArray<number>>): string => {
  const detokenizer = tokenizer.detokenizer(whole)
  return chunks.map((ids) => detokenizer.push(ids)).join("") + detokenizer.flush()
}

describe("byte-level tokenizers", () => {
  // Of the golden folders only these have neither a normalizer nor tokens that take white space away from random text.
  it.each(["gpt2", "llama3", "deepseek-v3"])("give every text back: %s", (name) => {
    const tokenizer = tokenizers.get(name)!
    FastCheck.assert(
      FastCheck.property(anyText, (text) => {
        const ids = tokenizer.encode(text, { addSpecialTokens: false })
        expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(text)
      })
    )
  })

  it("turn unpaired surrogates into U+FFFD", () => {
    expect(brook.decode(brook.encode("a\uD800b"))).toBe("a\uFFFDb")
  })

  it("know Brook's special tokens", () => {
    expect(brook.vocabSize).toBe(2046)
    expect(brook.encode("<|im_end|>")).toEqual([2])
    expect(brook.tokenId("<|im_start|>")).toBe(1)
    expect([...brook.specialIds]).toEqual([0, 1, 2])
    expect(brook.decodeToken(2044)).toBe("<tool_call>")
  })
})

describe("what a folder says beside tokenizer.json", () => {
  const at = (files: Record<string, string>, mode?: "auto" | "slow") =>
    Effect.runPromise(load(folderAt("models/brook", files), mode))

  it("the end of a text is the token that its config names, as text or as an object", async () => {
    expect(brook.eosTokenId).toBe(2)
    const named = { "tokenizer_config.json": JSON.stringify({ eos_token: { content: "<tool_call>" } }) }
    expect((await at(named)).eosTokenId).toBe(2044)
    const old = {
      "tokenizer_config.json": "{}",
      "special_tokens_map.json": JSON.stringify({ eos_token: "<|im_start|>" })
    }
    expect((await at(old)).eosTokenId).toBe(1)
    expect((await at({ "tokenizer_config.json": "{}" })).eosTokenId).toBeUndefined()
  })

  it('"slow" prefers vocab.json and merges.txt, where both are', async () => {
    const vocab = { "vocab.json": JSON.stringify({ a: 0, b: 1, ab: 2 }), "merges.txt": "#version: 0.2\na b\n" }
    expect((await at(vocab, "slow")).encode("ab")).toEqual([2])
    expect((await at(vocab)).encode("ab")).toEqual(brook.encode("ab"))
    expect((await at({}, "slow")).encode("ab")).toEqual(brook.encode("ab"))
  })
})

describe("the detokenizer", () => {
  it.each(folders)("gives the decoded text however the ids are cut: %s", (name) => {
    const tokenizer = tokenizers.get(name)!
    // Not byte fallback: there a full decode may take back a character that a stream has given (golden README, fact 6).
    const plain = [...Array(tokenizer.vocabSize + 20).keys()].filter((id) => !/^<0x..>$/.test(tokenText(tokenizer, id)))
    const id = FastCheck.constantFrom(...plain)
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.array(id, { maxLength: 5 }), { maxLength: 12 }), (chunks) => {
        expect(stream(tokenizer, chunks)).toBe(tokenizer.decode(chunks.flat(), { skipSpecialTokens: false }))
      })
    )
  })

  it("gives a character of three fallback bytes when it is complete, and U+FFFD when the text ends inside", () => {
    const tokenizer = tokenizers.get("gemma")!
    const bytes = ["<0xE4>", "<0xBD>", "<0xA0>"].map((token) => tokenizer.tokenId(token)!)
    const detokenizer = tokenizer.detokenizer(whole)
    expect(bytes.map((id) => detokenizer.push([id]))).toEqual(["", "", "你"])
    expect(detokenizer.push(bytes.slice(0, 2)) + detokenizer.flush()).toBe("\uFFFD\uFFFD")
  })

  it("keeps the special tokens that it is told to, and leaves the others out", () => {
    const skipping = { ...whole, skipSpecialTokens: true, keepSpecialIds: new Set([1]) }
    expect(brook.detokenizer(skipping).push([1, ...brook.encode("hi"), 2])).toBe("<|im_start|>hi")
  })

  it("gives nothing for ids beyond the vocabulary", () => {
    expect(stream(brook, [[9999], brook.encode("hi"), [2 ** 31]])).toBe("hi")
    expect(brook.decode([9999])).toBe("")
    expect(brook.decode([])).toBe("")
  })

  it("puts spaces between added tokens only where they are wanted", () => {
    const tokenizer = tokenizers.get("bert-uncased")!
    const ids = ["[CLS]", "[SEP]"].map((token) => tokenizer.tokenId(token)!)
    const text = (spacesBetweenSpecialTokens: boolean) =>
      tokenizer.detokenizer({ ...whole, spacesBetweenSpecialTokens }).push(ids)
    expect(text(true)).toBe("[CLS] [SEP]")
    expect(text(false)).toBe("[CLS][SEP]")
  })
})

/** A token's spelling, as far as it can be had from outside: enough to know byte tokens. */
const tokenText = (tokenizer: TokenizerInstance, id: number): string => {
  for (let byte = 0; byte < 256; byte++) {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`
    if (tokenizer.tokenId(token) === id) return token
  }
  return ""
}

describe("long texts", () => {
  it.each(["gpt2", "llama2-spm", "gemma"])("of a megabyte without a space are encoded: %s", (name) => {
    const tokenizer = tokenizers.get(name)!
    const text = "abcde".repeat(200_000)
    const ids = tokenizer.encode(text, { addSpecialTokens: false })
    expect(tokenizer.decode(ids)).toBe(text)
  })

  // Unigram by a recursive search overflows the stack here, and by one that looks back over the text never ends.
  it.each([
    ["one word", "abcde".repeat(200_000)],
    ["one letter", "a".repeat(1_000_000)],
    ["words", "the mill stands ".repeat(62_500)],
    ["unknown characters", "\u{1F600}mill".repeat(150_000)]
  ])("of a megabyte are cut by Unigram in linear time: %s", (_, text) => {
    const tokenizer = tokenizers.get("t5-unigram")!
    const part = text.slice(0, text.length / 10)
    const ids = tokenizer.encode(text, { addSpecialTokens: false })
    const tenth = tokenizer.encode(part, { addSpecialTokens: false })
    // However long the text, its beginning is cut alike but for the last few tokens.
    expect(ids.slice(0, tenth.length - 4)).toEqual(tenth.slice(0, -4))
    expect(tokenizer.decode(ids).length).toBeGreaterThan(0)
  })
})

describe("a BERT checkpoint with vocab.txt alone", () => {
  it.each(["bert-uncased", "bert-cased"])("is tokenized as by its tokenizer.json: %s", async (name) => {
    const read = (file: string) => readFileSync(`${cases}${name}/${file}`, "utf8")
    const files = { "vocab.txt": read("vocab.txt"), "tokenizer_config.json": read("tokenizer_config.json") }
    const legacy = await Effect.runPromise(load(folderAt("/nowhere", files)))
    const golden = JSON.parse(read("cases.json")) as {
      readonly cases: ReadonlyArray<{ readonly text: string; readonly ids: ReadonlyArray<number> }>
      readonly pairs: ReadonlyArray<{
        readonly text: string
        readonly pair: string
        readonly ids: ReadonlyArray<number>
      }>
    }
    // tokenizer.json has a few added tokens more.
    const shared = golden.cases.filter(({ ids }) => ids.every((id) => id < legacy.vocabSize))
    expect(shared.length).toBeGreaterThan(20)
    for (const { text, ids } of shared) expect(legacy.encode(text), text).toEqual(ids)
    for (const { text, pair, ids } of golden.pairs) expect(legacy.encoding(text, { pair }).ids).toEqual(ids)
  })
})

describe("a checkpoint", () => {
  const refusal = (files: Readonly<Record<string, string>>) =>
    Effect.runPromise(Effect.map(Effect.flip(load(folderAt("/nowhere", files))), (error) => error.message))
  const model = (value: unknown) => refusal({ "tokenizer.json": JSON.stringify({ model: value }) })

  it("without a tokenizer is refused with the names of the files looked for", async () => {
    const message = await refusal({})
    for (const name of ["/nowhere", "tokenizer.json", "vocab.json", "merges.txt"]) expect(message).toContain(name)
  })

  it("with malformed JSON is refused with the name of the file", async () => {
    expect(await refusal({ "tokenizer.json": "{" })).toMatch(/tokenizer\.json is not JSON/)
    expect(await refusal({ "tokenizer.json": "[]" })).toMatch(/tokenizer\.json holds \[\]/)
    expect(await refusal({ "tokenizer.json": "{}", "tokenizer_config.json": "no" })).toMatch(/tokenizer_config\.json/)
  })

  it("with rules that make no sense is refused with what stood there", async () => {
    expect(await refusal({ "tokenizer.json": "{}" })).toMatch(/has no model/)
    expect(await model({ type: "Morse", vocab: {} })).toMatch(/Morse/)
    expect(await model({ type: "BPE", vocab: { a: -1 }, merges: [] })).toMatch(/"a" the id -1/)
    expect(await model({ type: "BPE", vocab: { a: 0 }, merges: ["a"] })).toMatch(/merges\[0\] is "a"/)
    expect(await model({ type: "BPE", vocab: { a: 0 }, merges: ["a b"] })).toMatch(/joins a and b/)
    const file = { model: { type: "BPE", vocab: {}, merges: [] }, normalizer: { type: "Rot13" } }
    expect(await refusal({ "tokenizer.json": JSON.stringify(file) })).toMatch(/normalizer Rot13/)
  })
})
