import * as Data from "effect/Data"
import type { Refusal } from "../../domain/hub/answers.ts"

/** Why a file or an answer did not come. */
export class HubFault extends Data.TaggedError("HubFault")<Refusal> {}

const codeOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  if ("code" in cause && typeof cause.code === "string") return cause.code
  // fetch says "fetch failed" and keeps the reason beneath.
  if (cause.cause !== undefined) return codeOf(cause.cause)
  return cause.name === "TimeoutError" ? "no answer in time" : cause.message
}

/** The network's fault, or the server's. */
export const unreachable = (endpoint: string, cause: unknown): HubFault =>
  new HubFault({
    reason: `the Hub at ${endpoint} cannot be reached (${codeOf(cause)})`,
    mend: "Check the network and HF_ENDPOINT, or fetch the model elsewhere and give its folder.",
    passing: true
  })

/** The disk's fault. */
export const unwritable = (path: string, cause: unknown): HubFault =>
  new HubFault({
    reason: `the cache cannot be written at ${path} (${codeOf(cause)})`,
    mend: "Make room or give rights there, or set HF_HOME to another folder.",
    passing: false
  })
