/** Text that has been let through, and the stop string that ended it, if one did. */
export interface StopScan {
  readonly text: string
  readonly stop: string | undefined
}

/** Length of the longest end of `text` that may still grow into a stop string. */
const heldLength = (text: string, stops: ReadonlyArray<string>): number => {
  let held = 0
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
      if (stop.startsWith(text.slice(text.length - length))) {
        held = length
        break
      }
    }
  }
  return held
}

/**
 * Looks for stop strings in a text that comes in pieces. Only what might be the beginning of one is held back, so a reader
 * never sees part of a stop string and never waits longer than that takes to decide. The earliest match wins.
 */
export const makeStopScanner = (stops: ReadonlyArray<string>, include: boolean) => {
  let held = ""
  return {
    /** `tooEarly`: what is complete by now does not count, but what begins here may count later. */
    push(piece: string, tooEarly = false): StopScan {
      const window = held + piece
      let at = -1
      let stop: string | undefined
      for (const candidate of tooEarly ? [] : stops) {
        const found = window.indexOf(candidate)
        if (found >= 0 && (at < 0 || found < at)) {
          at = found
          stop = candidate
        }
      }
      if (stop !== undefined) {
        held = ""
        return { text: window.slice(0, include ? at + stop.length : at), stop }
      }
      const keep = heldLength(window, stops)
      held = window.slice(window.length - keep)
      return { text: window.slice(0, window.length - keep), stop: undefined }
    },
    /** The text ends here: what was held back was no stop string. */
    flush(): string {
      const text = held
      held = ""
      return text
    }
  }
}
