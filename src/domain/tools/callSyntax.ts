/**
 * After one character. `fail`: this is no call, and nothing was said of one; `again`: the call is over (cut short, or its
 * end was malformed) and the character is not part of it. After either the syntax is thrown away.
 */
export type CallStep = "more" | "done" | "fail" | "again"

/** The syntax of one call, read character by character. */
export interface CallSyntax {
  push(c: string): CallStep
  /** Whether the call has been announced: from then on it cannot fail. */
  readonly started: boolean
}

/** Whether a tool of this name may be called. */
export type Known = (name: string) => boolean
