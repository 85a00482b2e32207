import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { OrderedReplies } from "../../src/cli/ordered.ts"

const sink = () => {
  const written: Array<string> = []
  return {
    written,
    write: (text: string) => {
      written.push(text)
      return Promise.resolve()
    }
  }
}

describe("OrderedReplies", () => {
  it("shows the first reply as it grows and the others when their turn comes", async () => {
    const out = sink()
    const replies = new OrderedReplies(out)
    await replies.push(0, "a")
    await replies.push(1, "b")
    expect(out.written).toEqual(["a"])
    await replies.push(0, "A")
    await replies.end(0)
    expect(out.written).toEqual(["a", "A", "b"])
    await replies.push(1, "B")
    expect(out.written).toEqual(["a", "A", "b", "B"])
  })

  it("writes every reply once and in order, however they interleave and end", async () => {
    const sizes = FastCheck.array(FastCheck.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 })
    const interleaved = sizes.chain((counts) => {
      const steps = counts.flatMap((count, reply) => Array.from({ length: count + 1 }, () => reply))
      const shuffled = FastCheck.shuffledSubarray(steps, { minLength: steps.length, maxLength: steps.length })
      return FastCheck.tuple(FastCheck.constant(counts), shuffled)
    })
    await FastCheck.assert(
      FastCheck.asyncProperty(interleaved, async ([counts, steps]) => {
        const out = sink()
        const replies = new OrderedReplies(out)
        const left = [...counts]
        for (const reply of steps) await (left[reply]!-- > 0 ? replies.push(reply, `${reply}.`) : replies.end(reply))
        expect(out.written.join("")).toBe(counts.map((count, reply) => `${reply}.`.repeat(count)).join(""))
      })
    )
  })
})
