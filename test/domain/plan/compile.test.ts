import { describe, expect, it } from "vitest"
import { verify } from "../../../src/domain/graph/verify.ts"
import type { OpName } from "../../../src/domain/ops/table.ts"
import { compile, passes } from "../../../src/domain/plan/compile.ts"
import { compileFolder, folderOf, goldenNames } from "../../support/golden.ts"
import { overlaps } from "../../support/liveSlots.ts"

const count = (ops: ReadonlyArray<{ readonly op: OpName }>, op: OpName) => ops.filter((node) => node.op === op).length

describe("compile", () => {
  for (const name of goldenNames) {
    const { graph, plan } = compileFolder(folderOf(name))

    it(`${name}: the graph is sound, and after every pass`, () => {
      expect(verify(graph)).toEqual([])
      passes.reduce((current, { run }) => {
        const next = run(current)
        expect(verify(next)).toEqual([])
        return next
      }, graph)
    })

    it(`${name}: no two slots that hold something share memory`, () => expect(overlaps(plan)).toEqual([]))
  }

  it("the overlap check sees an overlap", () => {
    const { plan } = compileFolder(folderOf("llama-gqa"))
    const slots = plan.slots.map((slot) => ({ ...slot, offset: 0 }))
    expect(overlaps({ ...plan, slots }).length).toBeGreaterThan(0)
  })

  it("refuses an unsound graph by node and dim", () => {
    const { graph } = compileFolder(folderOf("llama-gqa"))
    const values = graph.values.map((value, id) => (id === 9 ? { ...value, columns: 32 } : value))
    expect(() => compile({ ...graph, values })).toThrow(
      /LlamaForCausalLM wrote an unsound graph:\n {2}node \d+ \(linear\)/
    )
  })

  it("shares memory: a plan is smaller than its slots side by side", () => {
    const { plan } = compileFolder(folderOf("llama-gqa"))
    const apart = plan.slots.reduce((sum, { rows, width }) => sum + (rows === "tokens" ? width * 4 : 0), 0)
    expect(plan.tokenBytes).toBeLessThan(apart / 2)
  })

  it("joins q, k, v and gate, up into one linear each, fuses every add before a norm of its rows, and rope with the write", () => {
    const { graph, plan } = compileFolder(folderOf("llama-gqa"))
    expect([count(graph.nodes, "linear"), count(plan.instructions, "linear")]).toEqual([15, 9])
    expect(plan.weights.filter((w) => w.source === "checkpoint" && w.segments.length === 3)).toHaveLength(2)
    expect([count(plan.instructions, "addRmsNorm"), count(plan.instructions, "add")]).toEqual([3, 1])
    expect([count(plan.instructions, "ropeKvWrite"), count(plan.instructions, "rope")]).toEqual([2, 0])
    expect(count(plan.instructions, "kvWrite")).toBe(0)
  })

  it("keeps q and k norms between the joined linear and the fused rope", () => {
    const { plan } = compileFolder(folderOf("qwen3"))
    const at = plan.instructions.findIndex(({ op }) => op === "ropeKvWrite")
    expect(plan.instructions.slice(at - 3, at).map(({ op }) => op)).toEqual(["linear", "rmsNorm", "rmsNorm"])
  })
})
