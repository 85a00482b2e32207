import { assert, describe, it } from "@effect/vitest"
import { InvalidRequest } from "../src/domain/errors.ts"
import type { GenerationDelta } from "../src/domain/request/outputs.ts"
import { LLM } from "../src/LLM.ts"
import { layerNull } from "../src/layers/compose/null.ts"

const nullModel = () => LLM.fromLayer(layerNull({ cost: "1 millis" }))
const endless = { maxTokens: 4000, ignoreEos: true }

/** Waits until every block is free; rejects when that does not come about. */
const idle = async (llm: LLM) => {
  for (let wait = 0; wait < 200; wait++) {
    const { running, waiting, parked, kvBlocksFree, kvBlocksTotal } = await llm.getMetrics()
    if (running + waiting + parked === 0 && kvBlocksFree === kvBlocksTotal) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail(JSON.stringify(await llm.getMetrics()))
}

const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
  } catch (error) {
    return error
  }
  return assert.fail("it did not reject")
}

describe("LLM", () => {
  it("takes one prompt or many in any form, and keeps their order", async () => {
    await using llm = await nullModel()
    const prompts = ["abc", [97, 98, 99], { prompt: "abc" }, { promptTokenIds: [97, 98, 99] }, "other"]
    const outputs = await llm.generate(
      prompts,
      [1, 2, 3, 4, 5].map((maxTokens) => ({ maxTokens }))
    )
    assert.deepStrictEqual(
      outputs.map(({ outputs: [first] }) => first?.tokenIds.length),
      [1, 2, 3, 4, 5]
    )
    assert.deepStrictEqual(
      outputs.map(({ prompt }) => prompt),
      ["abc", null, "abc", null, "other"]
    )
    const [one, ...none] = await llm.generate([97, 98, 99])
    assert.strictEqual(none.length, 0)
    assert.strictEqual(one?.outputs[0]?.tokenIds.length, 16)
    assert.isTrue(outputs.slice(0, 4).every(({ outputs: [first] }) => one?.outputs[0]?.text.startsWith(first!.text)))
    assert.deepStrictEqual(await llm.generate([]), [])
  })

  it("rejects with the tagged error itself", async () => {
    await using llm = await nullModel()
    assert.instanceOf(await rejection(llm.generate(["a", "b"], [{}])), InvalidRequest)
    assert.instanceOf(await rejection(llm.generate("a", { maxTokens: 0 })), InvalidRequest)
    assert.instanceOf(await rejection(llm.chat([{ role: "user", content: "hi" }])), InvalidRequest)
    assert.instanceOf(await rejection(llm.stream("")[Symbol.asyncIterator]().next()), InvalidRequest)
    assert.deepInclude(await rejection(LLM.create({ model: "/nowhere" })), { _tag: "ModelNotFound" })
    assert.deepInclude(await rejection(LLM.create({ model: "x", maxNumSeq: 3 } as never)), {
      _tag: "InvalidOptions",
      mend: "Did you mean maxNumSeqs?"
    })
  })

  it("streams what generate gives", async () => {
    await using llm = await nullModel()
    const deltas: Array<GenerationDelta> = []
    for await (const delta of llm.stream("once", { maxTokens: 20 })) deltas.push(delta)
    const [whole] = await llm.generate("once", { maxTokens: 20 })
    assert.strictEqual(deltas.map(({ text }) => text).join(""), whole?.outputs[0]?.text)
    assert.strictEqual(deltas.at(-1)?.finishReason, "length")
  })

  it("break gives the blocks back", async () => {
    await using llm = await nullModel()
    for await (const delta of llm.stream("once", endless)) {
      assert.isNotEmpty(delta.tokenIds)
      break
    }
    await idle(llm)
  })

  it("return() while a delta is awaited ends the wait and gives the blocks back", async () => {
    await using llm = await LLM.fromLayer(layerNull({ cost: "100 millis" }))
    const reader = llm.stream("once", endless)[Symbol.asyncIterator]()
    const pending = reader.next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await reader.return?.()
    assert.isTrue((await pending).done)
    await idle(llm)
  })

  it("answers calls of next() that do not wait for one another in turn, from one request", async () => {
    await using llm = await nullModel()
    const [whole] = await llm.generate("once", { maxTokens: 3 })
    const reader = llm.stream("once", { maxTokens: 3 })[Symbol.asyncIterator]()
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => reader.next()))
    const text = answers.map(({ done, value }) => (done === true ? "" : value.text)).join("")
    assert.strictEqual(text, whole?.outputs[0]?.text)
    assert.isTrue(answers[4]?.done)
    assert.strictEqual((await llm.getMetrics()).finishedRequests, 2)
  })

  it("takes messages of an application's own type", async () => {
    interface Turn {
      readonly role: "system" | "user"
      readonly content: string
    }
    await using llm = await nullModel()
    const turns: ReadonlyArray<Turn> = [{ role: "user", content: "abc" }]
    const [reply] = await llm.chat(turns, { maxTokens: 2 }, { chatTemplate: "{{ messages[0].content }}" })
    assert.strictEqual(reply?.prompt, "abc")
  })

  it("refuses what a call for a whole reply would otherwise pass over", async () => {
    await using llm = await nullModel()
    const field = async (promise: Promise<unknown>) => ((await rejection(promise)) as InvalidRequest).field
    const schema = { type: "boolean" }
    assert.strictEqual(await field(llm.generate("a", { outputKind: "all" } as never)), "outputKind")
    assert.strictEqual(await field(llm.generateObject("a", schema, { outputKind: "all" } as never)), "outputKind")
    assert.strictEqual(await field(llm.generateObject(["a", "b"] as never, schema)), "prompt")
    assert.strictEqual(await field(llm.generateObject([[97], [98]] as never, schema)), "prompt")
    assert.strictEqual(await field(llm.generateObject("a", null as never)), "schema")
  })

  it("tokenizes and detokenizes what it understands, and names the rest", async () => {
    await using llm = await nullModel()
    const field = async (promise: Promise<unknown>) => ((await rejection(promise)) as InvalidRequest).field
    assert.deepStrictEqual(await llm.tokenize("ab"), [97, 98])
    assert.strictEqual(await llm.detokenize([97, 511, 98], { skipSpecialTokens: false }), "ab")
    assert.strictEqual(await field(llm.tokenize(5 as never)), "text")
    assert.strictEqual(await field(llm.tokenize("a", { addSpecialToken: true } as never)), "addSpecialToken")
    assert.strictEqual(await field(llm.detokenize("97" as never)), "ids")
    assert.strictEqual(await field(llm.detokenize([97, -1])), "ids[1]")
    assert.strictEqual(await field(llm.detokenize([97, 512])), "ids[1]")
  })

  it("an AbortSignal ends a stream and a batch with its reason, and the blocks are back", async () => {
    await using llm = await nullModel()
    const reading = async (signal: AbortSignal) => {
      for await (const delta of llm.stream("once", endless, { signal })) assert.isNotEmpty(delta.tokenIds)
    }
    for (const start of [reading, (signal: AbortSignal) => llm.generate(["a", "b", "c"], endless, { signal })]) {
      const controller = new AbortController()
      const promise = start(controller.signal)
      setTimeout(() => controller.abort(new Error("enough")), 15)
      assert.deepInclude(await rejection(promise), { message: "enough" })
      await idle(llm)
    }
  })

  it("tells a callback how far a batch has come", async () => {
    await using llm = await nullModel()
    const seen: Array<number> = []
    await llm.generate(
      ["a", "b", "c"],
      { maxTokens: 3 },
      { progress: ({ finished, total }) => seen.push(finished / total) }
    )
    assert.deepStrictEqual(seen, [1 / 3, 2 / 3, 1])
  })

  it("counts the tokens of this batch alone, whatever else runs", async () => {
    await using llm = await nullModel()
    const other = llm.generate("elsewhere", { maxTokens: 200, ignoreEos: true })
    let last = { promptTokens: 0, generationTokens: 0 }
    const progress = (now: typeof last) => {
      last = now
    }
    await llm.generate(["abc", "de"], [{ maxTokens: 3 }, { maxTokens: 4 }], { progress })
    assert.deepInclude(last, { promptTokens: 5, generationTokens: 7 })
    await other
  })

  it("takes parameters by the prompt, chats too, and refuses as many as do not fit", async () => {
    await using llm = await LLM.fromLayer(layerNull({ plainChats: true }))
    const chat = [{ role: "user", content: "hi" }]
    const lengths = [{ maxTokens: 1 }, { maxTokens: 2 }]
    const outputs = await llm.chat([chat, chat], lengths)
    assert.deepStrictEqual(
      outputs.map(({ outputs: [first] }) => first?.tokenIds.length),
      [1, 2]
    )
    for (const wrong of [
      llm.chat([chat, chat, chat], lengths),
      llm.generate(["a"], lengths),
      llm.generate(["a", "b"], [])
    ])
      assert.deepInclude(await rejection(wrong), { _tag: "InvalidRequest", field: "params" })
  })

  it("says that it serves no adapters", async () => {
    await using llm = await nullModel()
    const error = await rejection(llm.generate(["a", "b"], {}, { lora: [{ name: "x" }, { name: "y" }] }))
    assert.deepInclude(error, { _tag: "InvalidRequest", field: "lora" })
  })

  it("a signal that has already been aborted starts nothing", async () => {
    await using llm = await nullModel()
    const signal = AbortSignal.abort(new Error("too late"))
    assert.deepInclude(await rejection(llm.generate("a", endless, { signal })), { message: "too late" })
    assert.strictEqual((await llm.getMetrics()).promptTokens, 0)
  })

  it("without a tokenizer takes and gives ids only", async () => {
    await using llm = await LLM.fromLayer(layerNull({ skipTokenizerInit: true }))
    const [output] = await llm.generate([1, 2, 3])
    assert.deepInclude(output?.outputs[0], { text: "", finishReason: "length" })
    assert.strictEqual(output?.outputs[0]?.tokenIds.length, 16)
    assert.instanceOf(await rejection(llm.generate("text")), InvalidRequest)
    assert.instanceOf(await rejection(llm.tokenize("text")), InvalidRequest)
  })

  it("closed, refuses; closing again is nothing", async () => {
    const llm = await nullModel()
    const running = rejection(llm.generate("a", endless))
    await new Promise((resolve) => setTimeout(resolve, 15))
    await llm.close()
    await llm.close()
    assert.deepInclude(await running, { _tag: "EngineClosed" })
    assert.deepInclude(await rejection(llm.generate("a")), { _tag: "EngineClosed" })
  })

  it("turns text into ids and back", async () => {
    await using llm = await nullModel()
    assert.deepStrictEqual(await llm.tokenize("aé"), [97, 195, 169])
    assert.strictEqual(await llm.detokenize([97, 195, 169]), "aé")
  })
})
