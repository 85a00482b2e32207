/**
 * The cache that `huggingface_hub` keeps, path by path, so that Python and we share every download:
 *
 *     models--owner--name/refs/main                  text: the commit that `main` was when last asked
 *     models--owner--name/snapshots/COMMIT/PATH      a relative link into blobs
 *     models--owner--name/blobs/ETAG                 the bytes; ETAG.incomplete while they come
 */
export const repoFolder = (cache: string, repo: string): string => `${cache}/models--${repo.replaceAll("/", "--")}`

export const refPath = (cache: string, repo: string, revision: string): string =>
  `${repoFolder(cache, repo)}/refs/${revision}`

export const snapshotPath = (cache: string, repo: string, commit: string): string =>
  `${repoFolder(cache, repo)}/snapshots/${commit}`

export const blobPath = (cache: string, repo: string, etag: string): string =>
  `${repoFolder(cache, repo)}/blobs/${etag}`

export const lockPath = (cache: string, repo: string, etag: string): string =>
  `${cache}/.locks/models--${repo.replaceAll("/", "--")}/${etag}.millrace.lock`

/** From a file of a snapshot to its blob: one level up for each folder of its name, and two for the commit. */
export const linkTarget = (file: string, etag: string): string =>
  `${"../".repeat(file.split("/").length + 1)}blobs/${etag}`

/** A file's name as the Hub lists it: relative, without steps that leave the snapshot. */
export const isSafeFile = (name: string): boolean =>
  name !== "" &&
  !name.includes("\\") &&
  !name.includes("\0") &&
  name.split("/").every((step) => !/^\.{0,2}$/.test(step))
