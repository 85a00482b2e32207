import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ModelNotFound } from "../domain/errors.ts"
import type { Part } from "../domain/hub/selection.ts"

export interface SnapshotRequest {
  /** `owner/name`, or the bare name of an old model. */
  readonly repo: string
  /** Branch, tag, pull request or commit; absent: `main`. */
  readonly revision?: string | undefined
  readonly part: Part
}

/** Models on the Hub, by way of a cache on this machine that is shared with Python. */
export class Hub extends Context.Tag("millrace/Hub")<
  Hub,
  {
    /** The folder of one commit, with all files of the part; those that the cache lacks are fetched first. */
    readonly snapshot: (request: SnapshotRequest) => Effect.Effect<string, ModelNotFound>
  }
>() {}
