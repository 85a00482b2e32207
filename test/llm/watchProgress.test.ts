import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { watchProgress } from "../../src/llm/watchProgress.ts"

const ended = { promptTokenIds: [1, 2, 3], outputs: [{ tokenIds: [4, 5] }] }
const screen = (isTTY: boolean) => {
  const written: Array<string> = []
  return { written, target: { isTTY, columns: 121, write: (text: string) => written.push(text) } }
}

describe("watchProgress", () => {
  it.effect("draws on a terminal while the batch runs, and leaves the last state on a line of its own", () =>
    Effect.gen(function* () {
      const { written, target } = screen(true)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const watch = yield* watchProgress(2, true, target)
          yield* TestClock.adjust("1 second")
          expect(written.length).toBeGreaterThan(5)
          yield* watch(ended)
          yield* TestClock.adjust("1 second")
          yield* watch(ended)
        })
      )
      expect(written.join("")).toContain("1/2 [00:01<00:0")
      const last = written.at(-1) ?? ""
      expect(last.startsWith("\r\u001b[2KProcessed prompts: 100%|")).toBe(true)
      expect(last).toMatch(/2\/2 \[00:02<00:00, 1\.00 it\/s, input: 3\.0 .*output: 2\.0 .*\n$/)
      const after = written.length
      yield* TestClock.adjust("1 second")
      expect(written.length).toBe(after)
    })
  )

  it.scoped("draws nothing where stderr is no terminal, or nobody asked", () =>
    Effect.gen(function* () {
      for (const [wanted, isTTY] of [
        [true, false],
        [false, true]
      ] as const) {
        const { written, target } = screen(isTTY)
        const watch = yield* watchProgress(1, wanted, target)
        yield* TestClock.adjust("1 second")
        yield* watch(ended)
        expect(written).toEqual([])
      }
    })
  )

  it.scoped("tells a function the sums of what has ended", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const watch = yield* watchProgress(2, (progress) => seen.push(progress), screen(true).target)
      yield* watch(ended)
      yield* TestClock.adjust("2 seconds")
      yield* watch(ended)
      expect(seen).toEqual([
        { finished: 1, total: 2, promptTokens: 3, generationTokens: 2, elapsedMillis: 0 },
        { finished: 2, total: 2, promptTokens: 6, generationTokens: 4, elapsedMillis: 2000 }
      ])
    })
  )
})
