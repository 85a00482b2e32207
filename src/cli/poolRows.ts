import type { ServedModel } from "../services/Engine.ts"
import type { PoolCommand } from "./poolFlags.ts"

/** What one text became: an embedding, probabilities, or a score alone. */
export type PoolAnswer = ReadonlyArray<number>

/** Characters of a text in a table. */
const shown = 60

const clipped = (text: string): string => {
  const line = text.replace(/\s+/g, " ")
  return line.length > shown ? `${line.slice(0, shown - 3)}...` : line
}

const number = (value: number): string => value.toFixed(6).padStart(10)

/** A line of the table: figures first, which are of one width, then the text. */
const figures = (command: PoolCommand, answer: PoolAnswer, labels: ServedModel["labels"]): string => {
  switch (command) {
    case "score":
      return number(answer[0]!)
    case "embed":
      return `${answer.slice(0, 4).map(number).join(" ")}${answer.length > 4 ? ` ... (${answer.length})` : ""}`
    case "classify":
      return answer.map((value, at) => `${labels?.[at] ?? at}:${number(value)}`).join("  ")
  }
}

export const tableRow = (command: PoolCommand, text: string, answer: PoolAnswer, model: ServedModel): string =>
  `${figures(command, answer, model.labels)}  ${clipped(text)}\n`

export const jsonRow = (command: PoolCommand, text: string, answer: PoolAnswer, { labels }: ServedModel): string => {
  const value =
    command === "score"
      ? { score: answer[0] }
      : command === "embed"
        ? { embedding: answer }
        : { probs: answer, ...(labels === undefined ? {} : { labels }) }
  return `${JSON.stringify({ text, ...value })}\n`
}

export const failedRow = (text: string, error: { readonly _tag: string; readonly message: string }): string =>
  `${JSON.stringify({ text, error: error._tag, message: error.message })}\n`
