import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Engine } from "../src/Engine.ts"
import { layer } from "../src/layers/compose/engine.ts"

class Writer extends Engine.Service<Writer>()("test/Writer") {}
class Judge extends Engine.Service<Judge>()("test/Judge") {}

const saying = (letter: string) => ({ script: () => letter.charCodeAt(0) })
const request = { prompt: "Hi", params: { maxTokens: 3 } }
const textOf = Effect.map(Engine.complete(request), ({ outputs }) => outputs[0]?.text)

describe("Engine.Service", () => {
  it.effect("gives each engine of an application a tag of its own", () =>
    Effect.gen(function* () {
      expect((yield* Writer.complete(request)).outputs[0]?.text).toBe("www")
      expect((yield* Judge.complete(request)).outputs[0]?.text).toBe("jjj")
      const streamed = yield* Stream.runFold(Judge.generate(request), "", (text, delta) => text + delta.text)
      expect(streamed).toBe("jjj")
      const writer = yield* Writer
      expect(yield* writer.tokenize("a")).toEqual([97])
      expect(writer).not.toBe(yield* Judge)
    }).pipe(Effect.provide([Writer.layerNull(saying("w")), Judge.layerNull(saying("j"))]))
  )

  it.effect("chats, and lends itself to whatever is derived over Engine", () =>
    Effect.gen(function* () {
      const messages = [{ role: "user", content: "Hi" }] as const
      const { outputs } = yield* Writer.completeChat({ messages, params: { maxTokens: 2 } })
      expect(outputs[0]?.text).toBe("ww")
      expect(yield* Effect.provide(textOf, Writer.asEngine)).toBe("www")
    }).pipe(Effect.provide(Writer.layerNull({ ...saying("w"), plainChats: true })))
  )

  it.live("two engines over one checkpoint share nothing that one could spoil for the other", () => {
    const brook = { model: "models/brook", device: "reference", maxModelLen: 64, maxNumSeqs: 2 } as const
    const greedy = { prompt: "Once upon a time", params: { temperature: 0, maxTokens: 4 } }
    return Effect.gen(function* () {
      const [first, second] = yield* Effect.all([Writer.complete(greedy), Judge.complete(greedy)], { concurrency: 2 })
      expect(first.outputs[0]?.tokenIds).toEqual(second.outputs[0]?.tokenIds)
      const { kvBlocksFree, kvBlocksTotal } = yield* (yield* Writer).metrics
      expect(kvBlocksFree).toBe(kvBlocksTotal)
    }).pipe(Effect.provide([Writer.layer(brook), Judge.from(layer(brook))]))
  })
})

describe("LayerMap.Service", () => {
  it.effect("keeps several models, each while it is used and some time after", () => {
    const loaded: Array<string> = []
    const released: Array<string> = []
    class Models extends LayerMap.Service<Models>()("test/Models", {
      lookup: (name: string) =>
        Layer.merge(
          Engine.layerNull(saying(name)),
          Layer.scopedDiscard(
            Effect.acquireRelease(
              Effect.sync(() => loaded.push(name)),
              () => Effect.sync(() => released.push(name))
            )
          )
        ),
      idleTimeToLive: "1 minute"
    }) {}
    return Effect.gen(function* () {
      const ask = (name: string) => Effect.provide(textOf, Models.get(name))
      expect(yield* Effect.all([ask("a"), ask("b"), ask("a")])).toEqual(["aaa", "bbb", "aaa"])
      expect(loaded).toEqual(["a", "b"])
      expect(released).toEqual([])
      yield* TestClock.adjust("2 minutes")
      expect([...released].sort()).toEqual(["a", "b"])
      expect(yield* ask("a")).toBe("aaa")
      expect(loaded).toEqual(["a", "b", "a"])
    }).pipe(Effect.provide(Models.Default))
  })
})
