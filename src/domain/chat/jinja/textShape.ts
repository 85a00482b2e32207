import type { Run } from "./run.ts"
import { charsOf, lengthOf } from "./whitespace.ts"

/** Python's str.replace; an empty `old` stands between all characters. */
export const replaceText = (run: Run, text: string, old: string, by: string, count: number): string => {
  run.spendOn(text.length)
  if (old === "") run.spendOnItems(text.length)
  const parts = old === "" ? ["", ...charsOf(text), ""] : text.split(old)
  const swaps = Math.min(count < 0 ? Number.POSITIVE_INFINITY : count, parts.length - 1)
  run.spendOn(text.length + swaps * by.length)
  if (swaps === parts.length - 1) return parts.join(by)
  return parts.slice(0, swaps + 1).join(by) + (swaps < 0 ? "" : old) + parts.slice(swaps + 1).join(old)
}

/** Every run of letters begins with a capital and goes on small. */
export const title = (text: string) =>
  text.replace(/\p{L}+/gu, (word) => {
    const [first = ""] = word
    return first.toUpperCase() + word.slice(first.length).toLowerCase()
  })

export const capitalize = (text: string): string => {
  const [first = ""] = text
  return first.toUpperCase() + text.slice(first.length).toLowerCase()
}

export const pad = (
  run: Run,
  text: string,
  side: "ljust" | "rjust" | "center" | "zfill",
  width: number,
  fill: string
): string => {
  const room = width - lengthOf(text)
  if (room <= 0) return text
  run.spendOn(width)
  if (side === "ljust") return text + fill.repeat(room)
  if (side === "rjust") return fill.repeat(room) + text
  if (side === "zfill")
    return /^[+-]/.test(text) ? text[0] + fill.repeat(room) + text.slice(1) : fill.repeat(room) + text
  const left = (room >> 1) + (room & width & 1)
  return fill.repeat(left) + text + fill.repeat(room - left)
}

export const joinTexts = (run: Run, texts: ReadonlyArray<string>, separator: string): string => {
  run.spendOn(texts.reduce((sum, text) => sum + text.length + separator.length, 0))
  return texts.join(separator)
}
