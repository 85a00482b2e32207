/** A file as the Hub describes it before it is fetched. */
export interface RemoteFile {
  /** Names the blob. */
  readonly etag: string
  /** Bytes; undefined when the server does not say. */
  readonly size: number | undefined
}

type Header = (name: string) => string | null

const plainTag = (tag: string) => tag.replace(/^W\//, "").replaceAll('"', "")

/** Reads the answer to a HEAD. Great files are elsewhere: the `linked` headers speak of them, the plain ones of the redirect. */
export const remoteFile = (header: Header): RemoteFile | undefined => {
  const linked = header("x-linked-etag")
  const etag = plainTag(linked ?? header("etag") ?? "")
  // The tag becomes a file's name.
  if (!/^[\w.+-]{1,200}$/.test(etag) || /^\.+$/.test(etag)) return undefined
  const text = header("x-linked-size") ?? (linked === null ? header("content-length") : null)
  const size = text === null ? Number.NaN : Number(text)
  return { etag, size: Number.isSafeInteger(size) && size >= 0 ? size : undefined }
}

/** A commit and, where the answer lists them, the names of its files. */
export interface RepoListing {
  readonly commit: string
  readonly files: ReadonlyArray<string> | undefined
}

const named = (entries: unknown, name: string): ReadonlyArray<string> | undefined =>
  Array.isArray(entries)
    ? entries.flatMap((entry: unknown) => {
        const text = (entry as Record<string, unknown> | null)?.[name]
        return typeof text === "string" ? [text] : []
      })
    : undefined

/** Reads `/api/models/REPO/revision/REVISION`; undefined when the JSON is something else. */
export const repoListing = (json: unknown): RepoListing | undefined => {
  if (typeof json !== "object" || json === null) return undefined
  const { sha, siblings } = json as Record<string, unknown>
  return typeof sha === "string" && /^[\w-]{1,64}$/.test(sha)
    ? { commit: sha, files: named(siblings, "rfilename") }
    : undefined
}

/** Reads a page of `/api/models/REPO/tree/COMMIT?recursive=true`. Folders are named too; nobody asks for them. */
export const treeListing = (json: unknown): ReadonlyArray<string> | undefined => named(json, "path")

/** Where the next page of a listing is, by its Link header. */
export const nextPage = (header: Header): string | undefined =>
  /<([^>]+)>;\s*rel="next"/.exec(header("link") ?? "")?.[1]

/** Why the Hub did not answer with what was asked, and what to do about it. */
export interface Refusal {
  readonly reason: string
  readonly mend: string
  /** Worth another try, or a look into the cache: the Hub is in trouble, not the question. */
  readonly passing: boolean
}

export interface Asked {
  readonly repo: string
  readonly revision: string
  readonly endpoint: string
  readonly token: boolean
}

/** Reads a status that is no success. The Hub answers 401, not 404, for what an anonymous caller may not know exists. */
export const refusalOf = (status: number, header: Header, asked: Asked): Refusal => {
  const { repo, revision, endpoint, token } = asked
  const code = header("x-error-code") ?? ""
  const page = `${endpoint}/${repo}`
  const setToken = "set HF_TOKEN to a token of an account that may read it"
  if (status >= 500 || status === 429 || status === 408)
    return { reason: `the Hub at ${endpoint} answers ${status}`, mend: "Try again later.", passing: true }
  if (code === "GatedRepo" || status === 403)
    return {
      reason: `${page} is gated${token ? ", and the token given has no access" : ""}`,
      mend: token
        ? `Ask for access on ${page} with the token's account.`
        : `Accept its terms on ${page}, then ${setToken}.`,
      passing: false
    }
  if (status === 401)
    return {
      reason: token
        ? `the Hub at ${endpoint} refuses the token, or has no model ${repo}`
        : `the Hub at ${endpoint} has no public model ${repo}`,
      mend: token ? "Check the name and the token." : `Check the name; if the model is private or gated, ${setToken}.`,
      passing: false
    }
  if (code === "RevisionNotFound")
    return {
      reason: `${repo} has no revision ${revision} on the Hub`,
      mend: `Choose one from ${page}/tree/main, or leave revision out.`,
      passing: false
    }
  if (status === 404)
    return {
      reason: `the Hub at ${endpoint} has no model ${repo}${revision === "main" ? "" : ` with a revision ${revision}`}`,
      mend: "Check the name, or give a folder that holds config.json and weights.",
      passing: false
    }
  return { reason: `the Hub at ${endpoint} answers ${status}`, mend: "Check the name and HF_ENDPOINT.", passing: false }
}
