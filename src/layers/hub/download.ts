import { type FileHandle, open, rename } from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type Asked, refusalOf } from "../../domain/hub/answers.ts"
import { HubFault, unreachable, unwritable } from "./fault.ts"
import { headersFor } from "./http.ts"

/** One file to fetch into the cache. */
export interface Download {
  readonly url: string
  /** Of the finished blob; `.incomplete` is added while it grows. */
  readonly path: string
  readonly size: number | undefined
  readonly token: string | undefined
  readonly timeoutMillis: number
  readonly retries: number
  readonly asked: Asked
  /** Bytes that came; what is thrown away again counts negative. */
  readonly onBytes: (bytes: number, resumed: boolean) => void
}

const incomplete = (path: string) => `${path}.incomplete`

/** Reads the body with a watch on silence: a server that stops in the middle is given up. */
const readBody = async (
  { url, token, timeoutMillis }: Download,
  from: number,
  signal: AbortSignal,
  onResponse: (response: Response) => Promise<(chunk: Uint8Array) => Promise<void>>
) => {
  const silence = new AbortController()
  const giveUp = () => silence.abort(new DOMException("no answer in time", "TimeoutError"))
  let timer = setTimeout(giveUp, timeoutMillis)
  try {
    const range: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {}
    const response = await fetch(url, {
      headers: { ...headersFor(token), ...range },
      signal: AbortSignal.any([signal, silence.signal])
    })
    const onChunk = await onResponse(response)
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer)
      await onChunk(chunk)
      timer = setTimeout(giveUp, timeoutMillis)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Where the answer's first byte belongs; undefined when it is no part of the file. */
const startOf = (response: Response, from: number): number | undefined => {
  if (response.status === 200) return 0
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1]
  return response.status === 206 && Number(start ?? from) === from ? from : undefined
}

/** Bytes that an earlier run left, if they can be the beginning of this file. */
const keptBytes = async (file: FileHandle, size: number | undefined): Promise<number> => {
  const { size: kept } = await file.stat()
  if (size !== undefined && kept <= size) return kept
  await file.truncate(0)
  return 0
}

const writeAll = async (file: FileHandle, chunk: Uint8Array, at: number, path: string) => {
  try {
    for (let done = 0; done < chunk.byteLength; )
      done += (await file.write(chunk, done, chunk.byteLength - done, at + done)).bytesWritten
  } catch (cause) {
    throw unwritable(path, cause)
  }
}

/** Fetches what is missing. Bytes are written where they belong, never appended: two writers would write the same. */
const fill = async (file: FileHandle, download: Download, signal: AbortSignal) => {
  const { size, asked, path, onBytes } = download
  const kept = await keptBytes(file, size)
  onBytes(kept, true)
  let at = kept
  if (kept !== size)
    await readBody(download, kept, signal, async (response) => {
      const start = startOf(response, kept)
      if (start === undefined) {
        if (response.status === 206 || response.status === 416) await file.truncate(0)
        throw response.ok || response.status === 416
          ? shortened(path, kept, size)
          : new HubFault(refusalOf(response.status, (name) => response.headers.get(name), asked))
      }
      if (start === 0) onBytes(-kept, true)
      at = start
      return async (chunk) => {
        await writeAll(file, chunk, at, path)
        at += chunk.byteLength
        onBytes(chunk.byteLength, false)
      }
    }).catch((fault: unknown) => {
      onBytes(-at, true)
      throw fault
    })
  if (size !== undefined && at !== size) {
    if (at > size) await file.truncate(0)
    onBytes(-at, true)
    throw shortened(path, at, size)
  }
  await file.truncate(at)
}

const shortened = (path: string, came: number, size: number | undefined) =>
  new HubFault({
    reason: `${came} of ${size ?? "an unknown number of"} bytes came for ${path.split("/").at(-1)}`,
    mend: "Try again: what came is kept.",
    passing: true
  })

const attempt = async (download: Download, signal: AbortSignal) => {
  const { path } = download
  // Neither truncated nor appended to: created when absent, else continued.
  const file = await open(incomplete(path), "r+").catch(() => open(incomplete(path), "w+"))
  try {
    await fill(file, download, signal)
  } finally {
    await file.close()
  }
  await rename(incomplete(path), path)
}

/** Trouble that may pass is waited out, with pauses of 0.2, 0.4... seconds. */
export const again = (retries: number) => ({
  schedule: Schedule.intersect(Schedule.exponential("200 millis"), Schedule.recurs(retries)),
  while: ({ passing }: HubFault) => passing
})

/** Fetches a blob, resuming what an earlier run began; the finished name appears with all of its bytes or not at all. */
export const download = (wanted: Download): Effect.Effect<void, HubFault> =>
  Effect.tryPromise({
    try: (signal) => attempt(wanted, signal),
    catch: (cause) =>
      cause instanceof HubFault
        ? cause
        : cause instanceof Error && "syscall" in cause && "path" in cause
          ? unwritable(wanted.path, cause)
          : unreachable(wanted.asked.endpoint, cause)
  }).pipe(Effect.retry(again(wanted.retries)))
