export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Tokens a second while all streams decode: from the last first token to the first last token. */
export const steadyRate = (streams) => {
  const from = Math.max(...streams.map((times) => times[0]))
  const to = Math.min(...streams.map((times) => times.at(-1)))
  const tokens = streams.flat().filter((time) => time > from && time <= to).length
  if (!(to > from)) throw new Error("The streams never ran all at once: raise newTokens.")
  return (tokens * 1000) / (to - from)
}

export const round = (value, digits = 2) => Number(value.toFixed(digits))
export const percent = (share) => `${(share * 100).toFixed(1)}%`
