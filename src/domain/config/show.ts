const longest = 120

/** A value as an error message shows it: short, on one line, and never failing, whatever was given. */
export const show = (value: unknown): string => {
  const text = raw(value)
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}

const raw = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value)
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "string") return JSON.stringify(value.slice(0, longest + 1))
  if (typeof value === "function") return "a function"
  if (typeof value === "symbol") return "a symbol"
  try {
    return JSON.stringify(value, (_, inner) =>
      typeof inner === "bigint"
        ? `${inner}n`
        : typeof inner === "number" && !Number.isFinite(inner)
          ? String(inner)
          : inner
    )
  } catch {
    return "an object that is not plain data"
  }
}
