import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import type { Asked } from "../../domain/hub/answers.ts"
import { blobPath, isSafeFile, lockPath, snapshotPath } from "../../domain/hub/cacheLayout.ts"
import { isWeightIndex, looksLikeWeights, type Part, selectFiles, weightEntry } from "../../domain/hub/selection.ts"
import type { HubSettings } from "../../domain/hub/settings.ts"
import { fileSize, linkFile, shardsOf, writeRef } from "./cache.ts"
import { again, download } from "./download.ts"
import { HubFault, unwritable } from "./fault.ts"
import { describeFile, fileUrl, listFiles } from "./http.ts"
import { lockFile } from "./lock.ts"
import { type Watch, watchDownload } from "./progress.ts"

/** Files fetched at once: small ones wait for answers, great ones share the line. */
const concurrency = 4

/** Makes sure that a blob is there. */
const fetchBlob = Effect.fnUntraced(function* (
  settings: HubSettings,
  asked: Asked,
  file: string,
  remote: { readonly etag: string; readonly size: number | undefined },
  watch: Watch
) {
  const { cache, endpoint, token, timeoutMillis, retries } = settings
  const path = blobPath(cache, asked.repo, remote.etag)
  const present = Effect.map(
    Effect.promise(() => fileSize(path)),
    (size) => size !== undefined && (remote.size === undefined || size === remote.size)
  )
  if (yield* present) return
  yield* Effect.tryPromise({
    try: () => mkdir(dirname(path), { recursive: true }),
    catch: (cause) => unwritable(path, cause)
  })
  yield* lockFile(lockPath(cache, asked.repo, remote.etag))
  // Whoever held the lock before may have fetched it.
  if (yield* present) return
  watch.file(remote.size)
  const url = fileUrl(endpoint, asked, file)
  yield* download({ url, path, size: remote.size, token, timeoutMillis, retries, asked, onBytes: watch.bytes })
  watch.done()
}, Effect.scoped)

/** Makes sure that a file of a commit is in its snapshot. A commit never changes: what is there is right. */
const fetchFile = (settings: HubSettings, asked: Asked, watch: Watch) =>
  Effect.fnUntraced(function* (file: string) {
    const { repo, revision: commit } = asked
    const there = yield* Effect.promise(() => fileSize(join(snapshotPath(settings.cache, repo, commit), file)))
    if (there !== undefined) return
    const remote = yield* Effect.retry(describeFile(settings, asked, file), again(settings.retries))
    yield* fetchBlob(settings, asked, file, remote, watch)
    yield* linkFile(settings.cache, repo, commit, file, remote.etag)
  })

const unusable = ({ repo, endpoint }: Asked, names: ReadonlyArray<string>) => {
  const other = names.filter(looksLikeWeights).slice(0, 5)
  const config = names.includes("config.json")
  return new HubFault({
    reason: config
      ? `${endpoint}/${repo} holds no model.safetensors or pytorch_model.bin${other.length > 0 ? `, only ${other.join(", ")}` : ""}`
      : `${endpoint}/${repo} has no config.json`,
    mend: "Choose a repository in the form of transformers.",
    passing: false
  })
}

/** Asks which commit the revision is, fetches what the cache lacks of it, and notes the commit once all is there. */
export const fetchSnapshot = Effect.fnUntraced(function* (settings: HubSettings, asked: Asked, part: Part) {
  const { commit, files } = yield* listFiles(settings, asked)
  const names = files.filter(isSafeFile)
  if (part === "model" && !(names.includes("config.json") && weightEntry(names))) return yield* unusable(asked, names)
  const folder = snapshotPath(settings.cache, asked.repo, commit)
  const watch = yield* watchDownload(asked.repo, settings.progress)
  const fetchAll = (wanted: ReadonlyArray<string>) =>
    Effect.forEach(wanted, fetchFile(settings, { ...asked, revision: commit }, watch), { concurrency, discard: true })
  const selected = selectFiles(names, part)
  // Faults of the small files show before the great ones are fetched.
  const great = (name: string) => /\.(?:safetensors|bin)$/.test(name)
  yield* fetchAll(selected.filter((name) => !great(name)))
  const shards = yield* Effect.promise(() =>
    Promise.all(selected.filter(isWeightIndex).map((index) => shardsOf(join(folder, index))))
  )
  const inRepo = new Set(names)
  yield* fetchAll([...selected.filter(great), ...shards.flat().filter((shard) => inRepo.has(shard))])
  yield* writeRef(settings.cache, asked.repo, asked.revision, commit)
  return folder
}, Effect.scoped)
