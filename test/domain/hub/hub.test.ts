import { describe, expect, it } from "vitest"
import { refusalOf, remoteFile } from "../../../src/domain/hub/answers.ts"
import { isSafeFile, linkTarget } from "../../../src/domain/hub/cacheLayout.ts"
import { downloadBar } from "../../../src/domain/hub/progress.ts"
import { isRepoId, isRevision } from "../../../src/domain/hub/repoId.ts"
import { selectFiles } from "../../../src/domain/hub/selection.ts"
import { hubSettings } from "../../../src/domain/hub/settings.ts"

const headers = (entries: Record<string, string>) => (name: string) => entries[name] ?? null

describe("the Hub's names", () => {
  it.each(["gpt2", "facebook/opt-125m", "Qwen/Qwen2.5-0.5B", "a/b_c.d"])("%s is a model's id", (text) =>
    expect(isRepoId(text)).toBe(true)
  )
  it.each([
    "./a",
    "/a/b",
    "a/b/c",
    "a/",
    "../a",
    "a/b.git",
    "a b/c",
    "a/-b",
    "a/b--c",
    "a/..",
    "C:\\x",
    "a".repeat(97)
  ])("%s is none", (text) => expect(isRepoId(text)).toBe(false))
  it("revisions may hold slashes, and never climb", () => {
    expect(["main", "refs/pr/1", "v1.0"].every(isRevision)).toBe(true)
    expect(["..", "a/../b", "/etc", "a//b", "", "a b"].some(isRevision)).toBe(false)
  })
  it("files stay in their snapshot", () => {
    expect(["a.json", "1_Pooling/config.json", "..a"].every(isSafeFile)).toBe(true)
    expect(["../a", "a/../b", "/a", "a\\b", "", "a/."].some(isSafeFile)).toBe(false)
    expect(linkTarget("a/b/c", "E")).toBe("../../../../blobs/E")
  })
})

describe("the Hub's answers", () => {
  it("a tag loses its quotes, and the linked headers win", () => {
    expect(remoteFile(headers({ etag: 'W/"abc"', "content-length": "5" }))).toEqual({ etag: "abc", size: 5 })
    const linked = { etag: '"page"', "content-length": "900", "x-linked-etag": '"sha"', "x-linked-size": "7" }
    expect(remoteFile(headers(linked))).toEqual({ etag: "sha", size: 7 })
    expect(remoteFile(headers({ etag: '"abc"' }))).toEqual({ etag: "abc", size: undefined })
    for (const etag of ["../../x", "..", "", "a/b"]) expect(remoteFile(headers({ etag }))).toBeUndefined()
  })
  it("only trouble of the server is passing", () => {
    const asked = { repo: "a/b", revision: "main", endpoint: "https://hub", token: false }
    for (const [status, passing] of [
      [500, true],
      [429, true],
      [401, false],
      [403, false],
      [404, false],
      [418, false]
    ] as const)
      expect(refusalOf(status, headers({}), asked).passing).toBe(passing)
  })
})

describe("what is fetched", () => {
  const names = [
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "pytorch_model.bin",
    "tf_model.h5",
    "trainer_state.json"
  ]
  it("is one form of the weights and the files that an engine reads", () => {
    expect(selectFiles(names, "model")).toEqual(["config.json", "tokenizer.json", "model.safetensors"])
    expect(selectFiles(names, "tokenizer")).toEqual(["config.json", "tokenizer.json"])
    expect(selectFiles(["pytorch_model.bin.index.json", "vocab.json", "merges.txt"], "model")).toEqual([
      "vocab.json",
      "merges.txt",
      "pytorch_model.bin.index.json"
    ])
  })
})

describe("settings", () => {
  const under = (variables: Record<string, string>) => hubSettings((name) => variables[name], "/home/me")
  it("are huggingface_hub's by default", () =>
    expect(under({})).toMatchObject({
      cache: "/home/me/.cache/huggingface/hub",
      endpoint: "https://huggingface.co",
      token: undefined,
      tokenPath: "/home/me/.cache/huggingface/token",
      offline: false
    }))
  it("know the older names, the user's folder, and that an empty variable is none", () => {
    expect(under({ HF_HOME: "~/hf", HF_HUB_CACHE: "" }).cache).toBe("/home/me/hf/hub")
    expect(under({ HUGGINGFACE_HUB_CACHE: "/old/" }).cache).toBe("/old")
    expect(under({ XDG_CACHE_HOME: "/x" }).tokenPath).toBe("/x/huggingface/token")
    expect(under({ HF_TOKEN: "", HUGGING_FACE_HUB_TOKEN: " t\n" }).token).toBe("t")
    expect(["1", "on", "YES", "true"].every((text) => under({ HF_HUB_OFFLINE: text }).offline)).toBe(true)
    expect(["0", "", "off"].some((text) => under({ HF_HUB_OFFLINE: text }).offline)).toBe(false)
    expect(under({ HF_HUB_DOWNLOAD_TIMEOUT: "3" }).timeoutMillis).toBe(3000)
  })
})

it("the bar shows share, size, files and speed", () =>
  expect(
    downloadBar({
      repo: "a/b",
      files: 4,
      filesDone: 1,
      bytes: 50e6,
      totalBytes: 2e8,
      received: 25e6,
      elapsedMillis: 1000
    })
  ).toBe("a/b [#######.......................] 25%  50.0 MB of 200.0 MB, 1/4 files, 25.0 MB/s"))
