import type { Plan, Slot } from "./plan.ts"

/** A slot before it has a place: it holds something from instruction `start` to instruction `end`, both included. */
export interface Lifetime {
  readonly rows: Slot["rows"]
  readonly width: number
  readonly start: number
  readonly end: number
}

/** Bytes of one row: float32, rounded up to a cache line so that every slot begins on one. */
export const rowBytes = (width: number): number => Math.ceil((width * 4) / 64) * 64

const together = (a: Lifetime, b: Lifetime) => a.rows === b.rows && a.start <= b.end && b.start <= a.end

/** Lowest offset where `bytes` fit between places that are taken. */
const lowestGap = (
  taken: ReadonlyArray<{ readonly offset: number; readonly bytes: number }>,
  bytes: number
): number => {
  let offset = 0
  for (const place of [...taken].sort((a, b) => a.offset - b.offset)) {
    if (offset + bytes <= place.offset) break
    offset = Math.max(offset, place.offset + place.bytes)
  }
  return offset
}

/** Places slots so that those alive together never overlap: the widest first, each at the lowest offset that is free. */
export const placeSlots = (lifetimes: ReadonlyArray<Lifetime>): Pick<Plan, "slots" | "tokenBytes" | "outputBytes"> => {
  const offsets = lifetimes.map(() => -1)
  const order = lifetimes.map((_, index) => index).sort((a, b) => lifetimes[b]!.width - lifetimes[a]!.width || a - b)
  for (const index of order) {
    const taken: Array<{ readonly offset: number; readonly bytes: number }> = []
    lifetimes.forEach((other, at) => {
      if (offsets[at]! >= 0 && together(other, lifetimes[index]!))
        taken.push({ offset: offsets[at]!, bytes: rowBytes(other.width) })
    })
    offsets[index] = lowestGap(taken, rowBytes(lifetimes[index]!.width))
  }
  const slots = lifetimes.map(({ rows, width }, index) => ({ rows, width, offset: offsets[index]! }))
  const extent = (region: Slot["rows"]) =>
    slots
      .filter(({ rows }) => rows === region)
      .reduce((max, { offset, width }) => Math.max(max, offset + rowBytes(width)), 0)
  return { slots, tokenBytes: extent("tokens"), outputBytes: extent("outputs") }
}
