import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"

export interface FakeRepo {
  /** Commit by branch or tag. */
  readonly refs: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string | Uint8Array>>
  /** Names of files that come from elsewhere by redirect, as great ones do. */
  readonly linked?: ReadonlyArray<string>
  /** Only this token may read. */
  readonly token?: string
  readonly gated?: boolean
  /** List files by the tree, in pages of two, and not beside the commit. */
  readonly treeOnly?: boolean
}

/** Lets a test spoil an answer: it has dealt with the request when it answers true. */
export type Spoil = (request: IncomingMessage, response: ServerResponse, body: Uint8Array | undefined) => boolean

export const etagOf = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex")

const bytesOf = (content: string | Uint8Array) => (typeof content === "string" ? Buffer.from(content) : content)

const refuse = (response: ServerResponse, status: number, code: string) => {
  response.writeHead(status, { "x-error-code": code }).end(JSON.stringify({ error: code }))
  return true
}

const serveBytes = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0)
  if (from >= bytes.length && from > 0) return response.writeHead(416).end()
  const headers: Record<string, string | number> = { "content-length": bytes.length - from, "accept-ranges": "bytes" }
  if (from > 0) headers["content-range"] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`
  response.writeHead(from > 0 ? 206 : 200, headers)
  return request.method === "HEAD" ? response.end() : response.end(bytes.subarray(from))
}

/** What the Hub answers, as far as an engine asks: revisions, files, ranges, redirects, refusals. */
export class FakeHub {
  /** `METHOD path range`, in their order. */
  readonly log: Array<string> = []
  readonly repos: Record<string, FakeRepo> = {}
  spoil: Spoil = () => false
  url = ""
  /** Another host's name for the same server: no token belongs there. */
  elsewhere = ""
  tokensElsewhere = 0

  handle(request: IncomingMessage, response: ServerResponse) {
    const path = decodeURIComponent(request.url ?? "")
    this.log.push(`${request.method} ${path}${request.headers.range === undefined ? "" : ` ${request.headers.range}`}`)
    const stored = /^\/bytes\/([^/]+\/[^/]+|[^/]+)\/-\/(.+)$/.exec(path)
    if (stored !== null) {
      if (request.headers.authorization !== undefined) this.tokensElsewhere++
      return this.answer(request, response, this.repos[stored[1]!]!.files[stored[2]!])
    }
    const tree = /^\/api\/models\/(.+?)\/tree\/([^/?]+)(\?|$)/.exec(path)
    if (tree !== null) return this.listTree(tree[1]!, request, response)
    const [, repo = "", revision = "", file] =
      /^\/api\/models\/(.+?)\/revision\/([^/]+)$/.exec(path) ?? /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(path) ?? []
    const known = this.repos[repo]
    if (known === undefined || this.refused(known, request, response, file)) {
      if (known === undefined) refuse(response, 401, "RepoNotFound")
      return
    }
    const commit = known.refs[revision] ?? Object.values(known.refs).find((sha) => sha === revision)
    if (commit === undefined) return void refuse(response, 404, "RevisionNotFound")
    if (file === undefined) {
      const siblings = Object.keys(known.files).map((rfilename) => ({ rfilename }))
      const listed = known.treeOnly === true ? {} : { siblings }
      return void response.end(JSON.stringify({ id: repo, sha: commit, ...listed }))
    }
    this.serveFile(known, repo, commit, file, request, response)
  }

  private listTree(repo: string, request: IncomingMessage, response: ServerResponse) {
    const page = Number(new URL(request.url ?? "", this.url).searchParams.get("cursor") ?? 0)
    const all = Object.entries(this.repos[repo]?.files ?? {}).map(([path, content]) => ({
      type: "file",
      path,
      size: bytesOf(content).length,
      oid: etagOf(content)
    }))
    const more = `${this.url}/api/models/${repo}/tree/main?recursive=true&cursor=${page + 2}`
    if (page + 2 < all.length) response.setHeader("link", `<${more}>; rel="next"`)
    response.end(JSON.stringify(all.slice(page, page + 2)))
  }

  private refused(repo: FakeRepo, request: IncomingMessage, response: ServerResponse, file: string | undefined) {
    if (repo.token === undefined || request.headers.authorization === `Bearer ${repo.token}`) return false
    if (repo.gated === true) return file === undefined ? false : refuse(response, 401, "GatedRepo")
    return refuse(response, 401, "RepoNotFound")
  }

  private serveFile(
    repo: FakeRepo,
    name: string,
    commit: string,
    file: string,
    request: IncomingMessage,
    response: ServerResponse
  ) {
    const content = repo.files[file]
    if (content === undefined) return void refuse(response, 404, "EntryNotFound")
    response.setHeader("x-repo-commit", commit)
    if (repo.linked?.includes(file)) {
      response.setHeader("x-linked-etag", `"${etagOf(content)}"`)
      response.setHeader("x-linked-size", bytesOf(content).length)
      return void response.writeHead(302, { location: `${this.elsewhere}/bytes/${name}/-/${file}` }).end()
    }
    response.setHeader("etag", `W/"${etagOf(content)}"`)
    this.answer(request, response, content)
  }

  private answer(request: IncomingMessage, response: ServerResponse, content: string | Uint8Array | undefined) {
    const bytes = content === undefined ? undefined : bytesOf(content)
    if (this.spoil(request, response, bytes)) return
    if (bytes === undefined) return void refuse(response, 404, "EntryNotFound")
    serveBytes(request, response, bytes)
  }
}

/** A Hub on this machine, for the Scope's life. */
export const fakeHub = Effect.acquireRelease(
  Effect.promise(async () => {
    const hub = new FakeHub()
    const server = createServer((request, response) => hub.handle(request, response))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    hub.url = `http://127.0.0.1:${port}`
    hub.elsewhere = `http://localhost:${port}`
    return { hub, server }
  }),
  ({ server }) =>
    Effect.async<void>((resume) => {
      server.closeAllConnections()
      server.close(() => resume(Effect.void))
    })
).pipe(Effect.map(({ hub }) => hub))
