import { GrammarFault } from "../fault.ts"

/** Where a regex is being read. */
export interface Cursor {
  readonly pattern: ReadonlyArray<string>
  at: number
}

export const regexFault = ({ pattern, at }: Cursor, given: string, mend: string) =>
  new GrammarFault("", `${given} at character ${at + 1} of ${pattern.join("")}`, "a regular expression", mend)
