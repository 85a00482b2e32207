import { mkdir, open, rm, stat, utimes } from "node:fs/promises"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type HubFault, unwritable } from "./fault.ts"

/** The holder touches its lock this often; one that has not been touched for longer than `staleMillis` has died. */
const heartbeatMillis = 2_000
const staleMillis = 15_000
const retryMillis = 100

const take = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(dirname(path), { recursive: true })
      try {
        const file = await open(path, "wx")
        await file.writeFile(`${process.pid}\n`)
        await file.close()
        return true
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
        const touched = await stat(path).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0
        )
        if (Date.now() - touched > staleMillis) await rm(path, { force: true })
        return false
      }
    },
    catch: (cause) => unwritable(path, cause)
  })

const touch = (path: string) => {
  const now = new Date()
  utimes(path, now, now).catch(() => undefined)
}

/**
 * One process at a time fetches a file; the others wait and find it done. Where the lock of a dead process is taken over by
 * two at once both go on, which costs a download and harms nothing: both write the same bytes to the same places.
 */
export const lockFile = (path: string): Effect.Effect<void, HubFault, Scope.Scope> => {
  const taken: Effect.Effect<void, HubFault> = Effect.flatMap(take(path), (mine) =>
    mine ? Effect.void : Effect.zipRight(Effect.interruptible(Effect.sleep(retryMillis)), taken)
  )
  return Effect.acquireRelease(
    Effect.map(taken, () => setInterval(touch, heartbeatMillis, path).unref()),
    (heartbeat) =>
      Effect.promise(() => {
        clearInterval(heartbeat)
        return rm(path, { force: true })
      })
  ).pipe(Effect.asVoid)
}
