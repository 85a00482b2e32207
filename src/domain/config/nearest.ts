/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
export const editDistance = (a: string, b: string): number => {
  let before: Array<number> = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = previous
    previous = row
  }
  return previous[b.length] ?? a.length
}

/** Case, dashes and underscores say nothing about which name was meant: max_model_len is maxModelLen. */
const plain = (name: string) => name.replace(/[-_]/g, "").toLowerCase()

/** The name most like `given`; undefined when none is near enough to be what was meant. */
export const nearest = (given: string, names: ReadonlyArray<string>): string | undefined => {
  // A hostile key may be megabytes long; no name of ours is.
  if (given.length > 100) return undefined
  let best: string | undefined
  let least = Math.max(2, Math.ceil(given.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(plain(given), plain(name))
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}
