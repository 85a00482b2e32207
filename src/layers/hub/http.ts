import * as Effect from "effect/Effect"
import {
  type Asked,
  nextPage,
  type RemoteFile,
  refusalOf,
  remoteFile,
  repoListing,
  treeListing
} from "../../domain/hub/answers.ts"
import type { HubSettings } from "../../domain/hub/settings.ts"
import { HubFault, unreachable } from "./fault.ts"

/** `identity`: lengths and ranges speak of the file itself, not of a packed form. */
export const headersFor = (token: string | undefined): Record<string, string> => ({
  "user-agent": "millrace",
  "accept-encoding": "identity",
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
})

const send = (settings: HubSettings, url: string, init: RequestInit, token = settings.token) =>
  Effect.tryPromise({
    try: (signal) =>
      fetch(url, {
        ...init,
        headers: headersFor(token),
        signal: AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutMillis)])
      }),
    catch: (cause) => unreachable(settings.endpoint, cause)
  })

const strange = (endpoint: string, what: string) =>
  new HubFault({ reason: `the Hub at ${endpoint} answers ${what}`, mend: "Check HF_ENDPOINT.", passing: false })

const header = (response: Response) => (name: string) => response.headers.get(name)

const getJson = Effect.fnUntraced(function* (settings: HubSettings, asked: Asked, url: string) {
  const response = yield* send(settings, url, {})
  if (!response.ok) return yield* new HubFault(refusalOf(response.status, header(response), asked))
  const json: unknown = yield* Effect.tryPromise({
    try: () => response.json(),
    catch: (cause) => strange(settings.endpoint, `with no JSON (${cause instanceof Error ? cause.message : cause})`)
  })
  return { json, next: nextPage(header(response)) }
})

/** Pages of a listing, at most: a thousand files each. */
const mostPages = 50

const listTree = Effect.fnUntraced(function* (settings: HubSettings, asked: Asked, commit: string) {
  const files: Array<string> = []
  let url: string | undefined = `${settings.endpoint}/api/models/${asked.repo}/tree/${commit}?recursive=true`
  for (let page = 0; url !== undefined && page < mostPages; page++) {
    const answer: { readonly json: unknown; readonly next: string | undefined } = yield* getJson(settings, asked, url)
    files.push(...(treeListing(answer.json) ?? (yield* strange(settings.endpoint, "with no list of files"))))
    // The next page is the same server's: the token goes nowhere else.
    url = answer.next?.startsWith(`${settings.endpoint}/`) ? answer.next : undefined
  }
  return files
})

/** The commit that a revision is now, and the names of its files. */
export const listFiles = Effect.fnUntraced(function* (settings: HubSettings, asked: Asked) {
  const url = `${settings.endpoint}/api/models/${asked.repo}/revision/${encodeURIComponent(asked.revision)}`
  const listing = repoListing((yield* getJson(settings, asked, url)).json)
  if (listing === undefined) return yield* strange(settings.endpoint, "with no commit")
  const { commit } = listing
  return { commit, files: listing.files ?? (yield* listTree(settings, asked, commit)) }
})

export const fileUrl = (endpoint: string, { repo, revision }: Asked, file: string): string =>
  `${endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${file.split("/").map(encodeURIComponent).join("/")}`

const mostRedirects = 5

/** A file's tag and size. A redirect that names them is not followed: it leads to the bytes, elsewhere. */
export const describeFile = Effect.fnUntraced(function* (settings: HubSettings, asked: Asked, file: string) {
  let url = fileUrl(settings.endpoint, asked, file)
  for (let hop = 0; hop <= mostRedirects; hop++) {
    // The token is the Hub's own: no other host gets to see it.
    const token = new URL(url).origin === new URL(settings.endpoint).origin ? settings.token : undefined
    const response = yield* send(settings, url, { method: "HEAD", redirect: "manual" }, token)
    const { status } = response
    const redirected = status >= 300 && status < 400
    if (!redirected && !response.ok) return yield* new HubFault(refusalOf(status, header(response), asked))
    const location = redirected ? response.headers.get("location") : null
    if (location === null || response.headers.has("x-linked-etag")) {
      const described: RemoteFile | undefined = remoteFile(header(response))
      return described ?? (yield* strange(settings.endpoint, `without an ETag for ${file}`))
    }
    url = new URL(location, url).href
  }
  return yield* strange(settings.endpoint, `with more than ${mostRedirects} redirects for ${file}`)
})
