import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ModelNotFound } from "../../domain/errors.ts"
import type { Asked, Refusal } from "../../domain/hub/answers.ts"
import { defaultRevision, isCommit, isRevision } from "../../domain/hub/repoId.ts"
import { type HubSettings, hubSettings, hubVariables } from "../../domain/hub/settings.ts"
import { Hub, type SnapshotRequest } from "../../services/Hub.ts"
import { findCached } from "./cache.ts"
import { fetchSnapshot } from "./fetchSnapshot.ts"

const notFound = (model: string, { reason, mend }: Pick<Refusal, "reason" | "mend">) =>
  new ModelNotFound({ model, reason, mend })

const missing = (cache: string, revision: string): Pick<Refusal, "reason" | "mend"> => ({
  reason: `the Hub is off (HF_HUB_OFFLINE), and the cache at ${cache} does not hold all of its revision ${revision}`,
  mend: "Run once without HF_HUB_OFFLINE, or give a folder."
})

const makeSnapshot = (settings: HubSettings) =>
  Effect.fnUntraced(function* ({ repo, revision = defaultRevision, part }: SnapshotRequest) {
    if (!isRevision(revision))
      return yield* notFound(repo, {
        reason: `${JSON.stringify(revision.slice(0, 80))} is no revision`,
        mend: "Give a branch, a tag or a commit, or leave revision out."
      })
    const cached = yield* findCached(settings.cache, repo, revision, part)
    if (settings.offline) return cached ?? (yield* notFound(repo, missing(settings.cache, revision)))
    // A commit never changes: there is nothing to ask.
    if (cached !== undefined && isCommit(revision)) return cached
    const { endpoint, token } = settings
    const asked: Asked = { repo, revision, endpoint, token: token !== undefined }
    return yield* fetchSnapshot(settings, asked, part).pipe(
      Effect.catchAll((fault) =>
        fault.passing && cached !== undefined
          ? Effect.as(Effect.logWarning(`${repo}: ${fault.reason}. The cache's copy serves in its place.`), cached)
          : notFound(repo, fault)
      )
    )
  })

const make = (given: Partial<HubSettings>) =>
  Hub.of({ snapshot: makeSnapshot({ ...hubSettings(() => undefined, homedir()), progress: false, ...given }) })

/** The Hub by what is given alone: no variable of the environment is read. */
export const layer = (settings: Partial<HubSettings> = {}): Layer.Layer<Hub> => Layer.sync(Hub, () => make(settings))

/** The token that `huggingface-cli login` left. */
const storedToken = (path: string | undefined) =>
  Effect.promise(() => (path === undefined ? Promise.resolve("") : readFile(path, "utf8").catch(() => ""))).pipe(
    Effect.map((text) => (text.trim() === "" ? undefined : text.trim()))
  )

/** What `HF_*` say, as Python's huggingface_hub understands them, by way of the ConfigProvider. */
export const settingsFromConfig: Effect.Effect<HubSettings> = Effect.gen(function* () {
  const found = new Map<string, string>()
  for (const name of hubVariables) {
    const value = yield* Effect.orElseSucceed(Config.option(Config.string(name)), () => Option.none<string>())
    if (Option.isSome(value)) found.set(name, value.value)
  }
  const { tokenPath, ...settings } = hubSettings((name) => found.get(name), homedir())
  return settings.token === undefined ? { ...settings, token: yield* storedToken(tokenPath) } : settings
})

/** The Hub by `HF_*`, under what is given. */
export const layerConfig = (given: Partial<HubSettings> = {}): Layer.Layer<Hub> =>
  Layer.effect(
    Hub,
    Effect.map(settingsFromConfig, (settings) => make({ ...settings, ...given }))
  )
