/** Which end of a text is cut off. */
export type TruncationSide = "left" | "right"
/** Which text of a pair gives way: the longer first, or always the one. */
export type TruncationStrategy = "longest_first" | "only_first" | "only_second"

export interface Truncation {
  /** Tokens at most, special ones of the template included. */
  readonly maxLength: number
  readonly side: TruncationSide
  readonly strategy: TruncationStrategy
}

/** Tokens that each text of a pair keeps; `room` is what the template leaves to both. */
export const keptLengths = (
  first: number,
  second: number,
  room: number,
  strategy: TruncationStrategy
): readonly [number, number] => {
  if (first + second <= room) return [first, second]
  switch (strategy) {
    case "only_first":
      return [Math.max(0, room - second), second]
    case "only_second":
      return [first, Math.max(0, room - first)]
    case "longest_first": {
      const half = Math.floor(room / 2)
      const shorter = Math.min(first, second)
      // Where even the shorter is over half, they share; the odd token goes to the longer, of equals to the second.
      const [less, more] = shorter > half ? [half, room - half] : [shorter, room - shorter]
      return first > second ? [more, less] : [less, more]
    }
  }
}

export const cut = (ids: ReadonlyArray<number>, length: number, side: TruncationSide): ReadonlyArray<number> =>
  ids.length <= length ? ids : side === "right" ? ids.slice(0, length) : ids.slice(ids.length - length)
