import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type DownloadProgress, downloadBar } from "../../domain/hub/progress.ts"
import type { HubSettings } from "../../domain/hub/settings.ts"

/** Told by the download of a repository's files. */
export interface Watch {
  readonly file: (size: number | undefined) => void
  readonly bytes: (count: number, resumed: boolean) => void
  readonly done: () => void
}

const redrawMillis = 100

/** Follows one repository. The Scope takes the bar away. */
export const watchDownload = (
  repo: string,
  wanted: HubSettings["progress"]
): Effect.Effect<Watch, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const start = performance.now()
        const count = { files: 0, filesDone: 0, bytes: 0, totalBytes: 0, received: 0 }
        const now = (): DownloadProgress => ({ repo, ...count, elapsedMillis: performance.now() - start })
        const bar = wanted === true && process.stderr.isTTY === true
        const tell = typeof wanted === "function" ? () => wanted(now()) : () => undefined
        const draw = () => count.files > 0 && process.stderr.write(`\r\x1b[2K${downloadBar(now())}`)
        const timer = bar ? setInterval(draw, redrawMillis) : undefined
        const watch: Watch = {
          file: (size = 0) => {
            count.files++
            count.totalBytes += size
          },
          bytes: (bytes, resumed) => {
            count.bytes += bytes
            if (!resumed) count.received += bytes
            tell()
          },
          done: () => {
            count.filesDone++
            tell()
          }
        }
        return { watch, timer }
      }),
      ({ timer }) =>
        Effect.sync(() => {
          if (timer === undefined) return
          clearInterval(timer)
          process.stderr.write("\r\x1b[2K")
        })
    ),
    ({ watch }) => watch
  )
