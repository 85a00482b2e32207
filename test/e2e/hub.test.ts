import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LLM } from "../../src/index.ts"
import { buildMain } from "../support/built.ts"
import { tempFolder } from "../support/checkpoints.ts"
import { type FakeHub, fakeHub } from "../support/hubServer.ts"
import { nativeBuilt } from "../support/nativeBuilt.ts"

const device = nativeBuilt() ? "cpu" : "reference"
const names = readdirSync("models/brook").filter((name) => /\.(json|safetensors)$/.test(name))

/** A Hub that has Brook, and variables that lead there. */
const withBrook = Effect.map(fakeHub, (hub) => {
  hub.repos["owner/brook"] = {
    refs: { main: "a".repeat(40) },
    linked: ["model.safetensors"],
    files: Object.fromEntries(names.map((name) => [name, readFileSync(join("models/brook", name))])),
    token: "hf_secret",
    gated: true
  }
  const env = { HF_ENDPOINT: hub.url, HF_HOME: tempFolder(), HF_TOKEN: "hf_secret", HF_HUB_OFFLINE: "" }
  return { hub, env }
})

const downloads = (hub: FakeHub) => hub.log.filter((line) => line.startsWith("GET /bytes")).length

/** `process.env` with these, as long as the effect runs. */
const underEnv = <A, E, R>(variables: Readonly<Record<string, string>>, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    () => effect,
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

describe("a model of the Hub", () => {
  it.scopedLive("is fetched by LLM.create as HF_* say, and found offline ever after", () =>
    Effect.gen(function* () {
      const { hub, env } = yield* withBrook
      const say = (model: string) =>
        Effect.promise(async () => {
          await using llm = await LLM.create({ model, device, maxModelLen: 64 })
          const [output] = await llm.generate("Once upon a time", { temperature: 0, maxTokens: 8 })
          return output?.outputs[0]?.text
        })
      const local = yield* say("models/brook")
      expect(yield* underEnv(env, say("owner/brook"))).toBe(local)
      expect(hub.log.length).toBeGreaterThan(4)
      hub.log.length = 0
      expect(yield* underEnv({ ...env, HF_HUB_OFFLINE: "1" }, say("owner/brook"))).toBe(local)
      expect(hub.log).toEqual([])
    })
  )

  it.scopedLive("is fetched once by two processes at once; without a token its gate is named", () =>
    Effect.gen(function* () {
      const { hub, env } = yield* withBrook
      const main = buildMain()
      const args = [
        "generate",
        "--model",
        "owner/brook",
        "--device",
        device,
        "--max-tokens",
        "4",
        "--temperature",
        "0",
        "Hi"
      ]
      const run = (more: Readonly<Record<string, string>> = {}) =>
        Effect.async<{ readonly code: number; readonly out: string; readonly err: string }>((resume) => {
          execFile(process.execPath, [main, ...args], { env: { ...process.env, ...env, ...more } }, (error, out, err) =>
            resume(Effect.succeed({ code: typeof error?.code === "number" ? error.code : 0, out, err }))
          )
        })
      const gated = yield* run({ HF_TOKEN: "" })
      expect(gated.code).toBe(1)
      expect(gated.err).toMatch(/no such folder, and .*owner\/brook is gated\. Accept its terms .* then set HF_TOKEN/)
      const [first, second] = yield* Effect.all([run(), run()], { concurrency: 2 })
      expect(first).toMatchObject({ code: 0, out: second.out })
      expect(first.out).not.toBe("")
      expect(downloads(hub)).toBe(1)
    })
  )
})
