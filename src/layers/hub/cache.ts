import { copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"
import * as Effect from "effect/Effect"
import { blobPath, linkTarget, refPath, snapshotPath } from "../../domain/hub/cacheLayout.ts"
import { isCommit } from "../../domain/hub/repoId.ts"
import { isWeightIndex, type Part, weightEntry } from "../../domain/hub/selection.ts"
import { type HubFault, unwritable } from "./fault.ts"

/** Bytes of the file that a path leads to; undefined where it leads nowhere. */
export const fileSize = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (info) => (info.isFile() ? info.size : undefined),
    () => undefined
  )

/** Files of a snapshot whose bytes are there, by their names in the repository. */
const filesOf = async (folder: string): Promise<ReadonlyArray<string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
  const sizes = await Promise.all(names.map((name) => fileSize(join(folder, name))))
  return names.filter((_, at) => sizes[at] !== undefined)
}

/** The files that an index spreads its weights over; none when it cannot be read: whoever loads it says why. */
export const shardsOf = async (index: string): Promise<ReadonlyArray<string>> => {
  try {
    const json: unknown = JSON.parse(await readFile(index, "utf8"))
    const map = (json as { weight_map?: unknown } | null)?.weight_map
    return typeof map === "object" && map !== null ? [...new Set(Object.values(map).map(String))] : []
  } catch {
    return []
  }
}

const isWhole = async (folder: string, part: Part): Promise<boolean> => {
  const names = await filesOf(folder)
  if (part === "tokenizer") return names.some((name) => /^(?:tokenizer|vocab)\.json$/.test(name))
  if (part === "generation") return names.some((name) => /^(?:generation_)?config\.json$/.test(name))
  const weights = weightEntry(names)
  if (weights === undefined || !names.includes("config.json")) return false
  const shards = isWeightIndex(weights) ? await shardsOf(join(folder, weights)) : []
  return shards.every((shard) => names.includes(shard))
}

/** The snapshot that a revision was when last asked, if all of the part is in it. */
export const findCached = (
  cache: string,
  repo: string,
  revision: string,
  part: Part
): Effect.Effect<string | undefined> =>
  Effect.promise(async () => {
    const commit = isCommit(revision)
      ? revision
      : await readFile(refPath(cache, repo, revision), "utf8").then(
          (text) => text.trim(),
          () => undefined
        )
    if (commit === undefined || !/^[\w-]+$/.test(commit)) return undefined
    const folder = snapshotPath(cache, repo, commit)
    return (await isWhole(folder, part)) ? folder : undefined
  })

const temporary = (path: string) => `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`

/** Notes which commit a branch or tag is: whole or not at all. */
export const writeRef = (
  cache: string,
  repo: string,
  revision: string,
  commit: string
): Effect.Effect<void, HubFault> => {
  const path = refPath(cache, repo, revision)
  return Effect.tryPromise({
    try: async () => {
      if (revision === commit || (await readFile(path, "utf8").catch(() => "")) === commit) return
      await mkdir(dirname(path), { recursive: true })
      const beside = temporary(path)
      await writeFile(beside, commit)
      await rename(beside, path)
    },
    catch: (cause) => unwritable(path, cause)
  })
}

/** Lets a snapshot's file lead to its blob; where links are not to be had, to a copy. */
export const linkFile = (
  cache: string,
  repo: string,
  commit: string,
  file: string,
  etag: string
): Effect.Effect<void, HubFault> => {
  const path = join(snapshotPath(cache, repo, commit), file)
  return Effect.tryPromise({
    try: async () => {
      await mkdir(dirname(path), { recursive: true })
      const beside = temporary(path)
      await symlink(linkTarget(file, etag), beside).catch(() => copyFile(blobPath(cache, repo, etag), beside))
      // Another process may have been faster: its link says the same.
      await rename(beside, path).finally(() => rm(beside, { force: true }))
    },
    catch: (cause) => unwritable(path, cause)
  })
}
