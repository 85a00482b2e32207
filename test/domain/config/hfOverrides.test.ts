import { expect, it } from "vitest"
import { overrideConfig } from "../../../src/domain/config/hfOverrides.ts"

it("merges objects entry by entry and replaces everything else", () => {
  const config = { a: 1, rope_scaling: { type: "yarn", factor: 2 }, list: [1, 2] }
  expect(overrideConfig(config, { a: 2, rope_scaling: { factor: 4 }, list: [3], b: { c: 1 } })).toEqual({
    a: 2,
    rope_scaling: { type: "yarn", factor: 4 },
    list: [3],
    b: { c: 1 }
  })
  expect(overrideConfig(config, { rope_scaling: null })).toMatchObject({ rope_scaling: null })
  expect(overrideConfig(config, undefined)).toBe(config)
})

it("takes hostile keys as plain ones", () => {
  const merged = overrideConfig(
    {},
    JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}')
  )
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  expect(Object.keys(merged)).toContain("__proto__")
})
