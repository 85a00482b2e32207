import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { DownloadProgress } from "../../../src/domain/hub/progress.ts"
import type { HubSettings } from "../../../src/domain/hub/settings.ts"
import * as HubLayer from "../../../src/layers/hub/Hub.ts"
import { Hub, type SnapshotRequest } from "../../../src/services/Hub.ts"
import { tempFolder } from "../../support/checkpoints.ts"
import { etagOf, type FakeRepo, fakeHub } from "../../support/hubServer.ts"

const first = "1".repeat(40)
const second = "2".repeat(40)
const weights = Buffer.alloc(300_000, "abcdefgh")
const repo = (more: Partial<FakeRepo> = {}): FakeRepo => ({
  refs: { main: first, v1: second },
  linked: ["model.safetensors"],
  files: {
    "config.json": "{}",
    "tokenizer.json": '{"a":1}',
    "README.md": "# read me",
    "pytorch_model.bin": "the same weights again",
    "onnx/model.onnx": "and again",
    "model.safetensors": weights
  },
  ...more
})
const base = { part: "model" as const }

/** A fake Hub and a cache of its own, gone with the test. */
const place = Effect.map(fakeHub, (hub) => {
  const cache = tempFolder()
  const ask = (request: Partial<SnapshotRequest> = {}, settings: Partial<HubSettings> = {}) =>
    Effect.flatMap(Hub, ({ snapshot }) => snapshot({ repo: "owner/name", ...base, ...request })).pipe(
      Effect.provide(HubLayer.layer({ cache, endpoint: hub.url, timeoutMillis: 2000, ...settings }))
    )
  return { hub, cache, home: join(cache, "models--owner--name"), ask }
})
type Place = Effect.Effect.Success<typeof place>
const hubTest = (name: string, body: (place: Place) => Effect.Effect<void, unknown>) =>
  it.live(name, () => Effect.scoped(Effect.flatMap(place, body)))

const offline = { offline: true }
const reason = (effect: Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message)

describe("the Hub", () => {
  hubTest("fetches the files that an engine reads, into the layout that Python keeps", ({ hub, ask, home }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const folder = yield* ask()
      expect(folder).toBe(join(home, "snapshots", first))
      expect(readdirSync(folder).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"])
      expect(readFileSync(join(home, "refs/main"), "utf8")).toBe(first)
      const link = readlinkSync(join(folder, "model.safetensors"))
      expect(link).toBe(`../../blobs/${etagOf(weights)}`)
      expect(readFileSync(join(folder, "model.safetensors")).equals(weights)).toBe(true)
      expect(readdirSync(join(home, "blobs")).sort()).toEqual([weights, "{}", '{"a":1}'].map(etagOf).sort())
      expect(hub.log.some((line) => /README|onnx|pytorch/.test(line))).toBe(false)
    })
  )

  hubTest("asks again only which commit it is, and nothing at all offline or for a commit", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const folder = yield* ask()
      hub.log.length = 0
      expect(yield* ask()).toBe(folder)
      expect(hub.log).toEqual(["GET /api/models/owner/name/revision/main"])
      hub.log.length = 0
      expect(yield* ask({}, offline)).toBe(folder)
      expect(yield* ask({ revision: first })).toBe(folder)
      expect(hub.log).toEqual([])
    })
  )

  hubTest("keeps revisions apart and shares what they have in common", ({ hub, ask, home }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      yield* ask()
      hub.repos["owner/name"] = repo({ files: { ...repo().files, "config.json": '{"new":1}' } })
      const folder = yield* ask({ revision: "v1" })
      expect(folder).toBe(join(home, "snapshots", second))
      expect(readFileSync(join(folder, "config.json"), "utf8")).toBe('{"new":1}')
      expect(hub.log.filter((line) => line.startsWith("GET /bytes"))).toHaveLength(1)
      expect(yield* reason(ask({ revision: "v9" }))).toMatch(/no revision v9 on the Hub/)
      expect(yield* reason(ask({ revision: "../../x" }))).toMatch(/is no revision/)
    })
  )

  hubTest("goes on where a cut connection stopped, in this run and in the next", ({ hub, ask, home }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const blob = join(home, "blobs", etagOf(weights))
      mkdirSync(join(home, "blobs"), { recursive: true })
      writeFileSync(`${blob}.incomplete`, weights.subarray(0, 1000))
      let cuts = 1
      hub.spoil = (request, response, body) => {
        if (request.method !== "GET" || body?.length !== weights.length || cuts-- <= 0) return false
        response.writeHead(206, { "content-range": `bytes 1000-${weights.length - 1}/${weights.length}` })
        response.write(body.subarray(1000, 51_000), () => response.destroy())
        return true
      }
      const folder = yield* ask()
      const asked = hub.log.filter((line) => line.startsWith("GET /bytes"))
      expect(asked[0]).toContain("bytes=1000-")
      expect(asked[1]).toContain("bytes=51000-")
      expect(asked).toHaveLength(2)
      expect(readFileSync(join(folder, "model.safetensors")).equals(weights)).toBe(true)
      expect(existsSync(`${blob}.incomplete`)).toBe(false)
    })
  )

  hubTest("begins anew where the server knows no ranges, or what was kept is too long", ({ hub, ask, home }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const blob = join(home, "blobs", etagOf(weights))
      mkdirSync(join(home, "blobs"), { recursive: true })
      writeFileSync(`${blob}.incomplete`, "x".repeat(weights.length + 5))
      const tooLong = yield* ask()
      expect(readFileSync(join(tooLong, "model.safetensors")).equals(weights)).toBe(true)
      writeFileSync(join(home, "blobs", `${etagOf("other")}.incomplete`), "oth")
      hub.repos["owner/name"] = repo({ refs: { main: second }, files: { ...repo().files, "vocab.txt": "other" } })
      hub.spoil = (request, response, body) => {
        if (request.method !== "GET" || body === undefined || Buffer.from(body).toString() !== "other") return false
        response.end(body)
        return true
      }
      expect(readFileSync(join(yield* ask(), "vocab.txt"), "utf8")).toBe("other")
    })
  )

  hubTest("never takes a file that is too short for the whole", ({ hub, ask, home }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      hub.spoil = (request, response, body) => {
        if (request.method !== "GET" || body?.length !== weights.length) return false
        response.end(body.subarray(0, request.headers.range === undefined ? 10 : 0))
        return true
      }
      expect(yield* reason(ask({}, { retries: 1 }))).toMatch(/of 300000 bytes came for/)
      expect(existsSync(join(home, "blobs", etagOf(weights)))).toBe(false)
      expect(existsSync(join(home, "refs/main"))).toBe(false)
      expect(yield* reason(ask({}, offline))).toMatch(/does not hold all of its revision main.*Run once without/)
    })
  )

  hubTest("reads a cache that Python wrote", ({ ask, home }) =>
    Effect.gen(function* () {
      const blobs = { "config.json": "{}", "pytorch_model.bin": "w", "1_Pooling/config.json": "{}" }
      const snapshot = join(home, "snapshots", first)
      mkdirSync(join(snapshot, "1_Pooling"), { recursive: true })
      mkdirSync(join(home, "blobs"))
      mkdirSync(join(home, "refs"))
      writeFileSync(join(home, "refs/main"), first)
      for (const [name, text] of Object.entries(blobs)) {
        writeFileSync(join(home, "blobs", etagOf(text)), text)
        symlinkSync(`${name.includes("/") ? "../" : ""}../../blobs/${etagOf(text)}`, join(snapshot, name))
      }
      expect(yield* ask({}, offline)).toBe(snapshot)
      expect(yield* ask({ revision: first }, offline)).toBe(snapshot)
      expect(yield* reason(ask({ revision: "v1" }, offline))).toMatch(/revision v1/)
      expect(yield* reason(ask({ part: "tokenizer" }, offline))).toMatch(/does not hold/)
    })
  )

  hubTest("falls back on the cache with a warning when the Hub does not answer", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const folder = yield* ask()
      expect(yield* ask({}, { endpoint: "http://127.0.0.1:9" })).toBe(folder)
      expect(yield* reason(ask({ revision: "v1" }, { endpoint: "http://127.0.0.1:9" }))).toMatch(/cannot be reached \(/)
    })
  )

  hubTest("says what to do about a gated, a private and an absent model", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo({ token: "hf_secret", gated: true })
      const gated = yield* reason(ask())
      expect(gated).toMatch(/is gated.*Accept its terms on .*owner\/name, then set HF_TOKEN/)
      hub.repos["owner/name"] = repo({ token: "hf_secret" })
      expect(yield* reason(ask())).toMatch(/has no public model owner\/name.*if the model is private.*HF_TOKEN/)
      expect(yield* reason(ask({}, { token: "hf_wrong" }))).toMatch(/refuses the token.*Check the name and the token/)
      expect(yield* reason(ask({ repo: "no/body" }))).toMatch(/has no public model no\/body/)
      const folder = yield* ask({}, { token: "hf_secret" })
      expect(existsSync(join(folder, "model.safetensors"))).toBe(true)
      expect(hub.tokensElsewhere).toBe(0)
    })
  )

  hubTest("says what a repository lacks", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo({ files: { "config.json": "{}", "model.gguf": "x" } })
      expect(yield* reason(ask())).toMatch(/holds no model\.safetensors or pytorch_model\.bin, only model\.gguf/)
      hub.repos["owner/name"] = repo({ files: { "model.safetensors": "x" } })
      expect(yield* reason(ask())).toMatch(/has no config\.json/)
    })
  )

  hubTest("fetches the shards that the index names, and no others", ({ hub, ask }) =>
    Effect.gen(function* () {
      const index = JSON.stringify({ weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } })
      const files = { "config.json": "{}", "model.safetensors.index.json": index, "consolidated.safetensors": "c" }
      const shards = { "model-1.safetensors": "one", "model-2.safetensors": "two" }
      hub.repos["owner/name"] = repo({ files: { ...files, ...shards } })
      const folder = yield* ask()
      expect(readdirSync(folder).sort()).toEqual([
        "config.json",
        "model-1.safetensors",
        "model-2.safetensors",
        "model.safetensors.index.json"
      ])
    })
  )

  hubTest("reads the tree, page by page, where the files are not listed with the commit", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo({ treeOnly: true })
      expect(readdirSync(yield* ask()).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"])
    })
  )

  hubTest("waits out a server in trouble", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      let troubles = 2
      hub.spoil = (request, response) => {
        if (request.method !== "HEAD" || troubles-- <= 0) return false
        response.writeHead(503).end()
        return true
      }
      expect(existsSync(join(yield* ask(), "model.safetensors"))).toBe(true)
    })
  )

  hubTest("fetches the modules of Sentence Transformers, one weight file for each", ({ hub, ask }) =>
    Effect.gen(function* () {
      const files = {
        "config.json": "{}",
        "modules.json": "[]",
        "sentence_bert_config.json": "{}",
        "1_Pooling/config.json": "{}",
        "2_Dense/config.json": "{}",
        "2_Dense/model.safetensors": "s",
        "2_Dense/pytorch_model.bin": "p",
        "pytorch_model.bin": "w"
      }
      hub.repos["owner/name"] = repo({ files })
      const folder = yield* ask()
      const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
      expect(found).toContain("2_Dense/model.safetensors")
      expect(found).not.toContain("2_Dense/pytorch_model.bin")
      expect(found).toContain("pytorch_model.bin")
      expect(readlinkSync(join(folder, "1_Pooling/config.json"))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\//)
    })
  )

  hubTest("fetches a tokenizer without the weights", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const folder = yield* ask({ part: "tokenizer" })
      expect(readdirSync(folder).sort()).toEqual(["config.json", "tokenizer.json"])
      expect(yield* reason(ask({}, offline))).toMatch(/does not hold all/)
      expect(existsSync(join(yield* ask(), "model.safetensors"))).toBe(true)
    })
  )

  hubTest("lets two at once share one download", ({ hub, ask, cache }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const folders = yield* Effect.all([ask(), ask(), ask()], { concurrency: "unbounded" })
      expect(new Set(folders).size).toBe(1)
      expect(hub.log.filter((line) => line.startsWith("GET /bytes"))).toHaveLength(1)
      const left = readdirSync(cache, { recursive: true, encoding: "utf8" })
      expect(left.filter((name) => /incomplete|\.lock$/.test(name))).toEqual([])
      expect(lstatSync(join(folders[0]!, "config.json")).isSymbolicLink()).toBe(true)
    })
  )

  hubTest("takes over the lock of a process that died", ({ hub, ask, cache }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const locks = join(cache, ".locks/models--owner--name")
      mkdirSync(locks, { recursive: true })
      const lock = join(locks, `${etagOf(weights)}.millrace.lock`)
      writeFileSync(lock, "1")
      utimesSync(lock, new Date(0), new Date(0))
      expect(existsSync(join(yield* ask(), "model.safetensors"))).toBe(true)
    })
  )

  hubTest("leaves what came to the next run when it is interrupted", ({ hub, ask, home }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      hub.spoil = (request, response, body) => {
        if (request.method !== "GET" || body?.length !== weights.length) return false
        response.writeHead(200, { "content-length": weights.length })
        response.write(body.subarray(0, 100_000))
        return true
      }
      let came = 0
      const progress = ({ bytes }: DownloadProgress) => {
        came = Math.max(came, bytes)
      }
      const fiber = yield* Effect.fork(ask({}, { progress }))
      yield* Effect.repeat(Effect.sleep(5), { until: () => came >= 100_000 })
      yield* Fiber.interrupt(fiber)
      const blob = join(home, "blobs", etagOf(weights))
      expect(readFileSync(`${blob}.incomplete`).equals(weights.subarray(0, 100_000))).toBe(true)
      hub.spoil = () => false
      yield* ask()
      expect(hub.log.at(-1)).toContain("bytes=100000-")
      expect(readFileSync(blob).equals(weights)).toBe(true)
    })
  )

  hubTest("gives a server up that falls silent", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      hub.spoil = (request) => request.method === "HEAD"
      expect(yield* reason(ask({}, { timeoutMillis: 100, retries: 0 }))).toMatch(
        /cannot be reached \(no answer in time\)/
      )
    })
  )

  hubTest("refuses names that leave the snapshot", ({ hub, ask, cache }) =>
    Effect.gen(function* () {
      const files = { ...repo().files, "../../../../escaped/config.json": "x" }
      hub.repos["owner/name"] = repo({ files })
      yield* ask()
      expect(readdirSync(cache, { recursive: true, encoding: "utf8" }).some((name) => name.includes("escaped"))).toBe(
        false
      )
    })
  )

  hubTest("tells how far it is", ({ hub, ask }) =>
    Effect.gen(function* () {
      hub.repos["owner/name"] = repo()
      const seen: Array<DownloadProgress> = []
      yield* ask({}, { progress: (now) => seen.push(now) })
      expect(seen.at(-1)).toMatchObject({
        files: 3,
        filesDone: 3,
        bytes: weights.length + 9,
        totalBytes: weights.length + 9
      })
    })
  )

  it.effect("takes its settings from HF_* by way of the ConfigProvider", () =>
    Effect.gen(function* () {
      const folder = tempFolder()
      writeFileSync(join(folder, "token"), "hf_stored\n")
      const under = (variables: Record<string, string>) =>
        Effect.withConfigProvider(
          HubLayer.settingsFromConfig,
          ConfigProvider.fromMap(new Map(Object.entries(variables)))
        )
      expect(yield* under({ HF_HOME: folder, HF_ENDPOINT: "https://mirror/" })).toMatchObject({
        cache: `${folder}/hub`,
        endpoint: "https://mirror",
        token: "hf_stored",
        offline: false
      })
      expect(yield* under({ HF_HOME: folder, HF_TOKEN: "hf_given" })).toMatchObject({ token: "hf_given" })
      expect((yield* under({ HF_HOME: folder, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })).token).toBeUndefined()
      expect(yield* under({ HF_HUB_CACHE: "/c", TRANSFORMERS_OFFLINE: "true" })).toMatchObject({
        cache: "/c",
        offline: true
      })
    })
  )
})
