import type { RowEdits } from "../../src/domain/batch/step.ts"

/** Every kind of change over `rows` rows, every row another mixture; some rows ask for none, some forbid all. `noise` in [0, 1). */
export const randomEdits = (rows: number, vocabSize: number, noise: (i: number) => number): RowEdits => {
  let at = 1e6
  const random = () => noise(at++)
  const token = () => Math.floor(random() * vocabSize)
  const words = Math.ceil(vocabSize / 32)
  const masks: Array<Uint32Array> = []
  const makeMask = (share: number) =>
    masks.push(
      Uint32Array.from({ length: words }, () => {
        let word = 0
        for (let bit = 0; bit < 32; bit++) word |= (random() < share ? 1 : 0) << bit
        return word
      })
    ) - 1
  const each = <T>(f: (r: number) => T) => Array.from({ length: rows }, (_, r) => f(r))
  const starts = (lists: ReadonlyArray<ReadonlyArray<number>>) => {
    let total = 0
    return Int32Array.from([0, ...lists.map((list) => (total += list.length))])
  }
  const several = (most: number) => Array.from({ length: Math.floor(random() * (most + 1)) }, token)
  const biasIds = each((r) => (r % 3 === 0 ? several(9) : []))
  const history = each((r) => (r % 4 < 2 ? several(60) : []))
  // The row's own token is r: words that end the output there, and some that do not.
  const badWords = each((r) =>
    r % 5 === 0 ? [1, token(), 2, r, token(), 2, token(), token(), 3, history[r]!.at(-1) ?? token(), r, token()] : []
  )
  return {
    mask: Int32Array.from(each((r) => (r % 4 === 1 ? makeMask(r % 8 === 1 ? 0.5 : 0.02) : -1))),
    allowed: Int32Array.from(each((r) => (r % 6 === 2 ? makeMask(r % 12 === 2 ? 0 : 0.3) : -1))),
    masks: Uint32Array.from(masks.flatMap((mask) => [...mask])),
    biasStarts: starts(biasIds),
    biasIds: Int32Array.from(biasIds.flat()),
    biasValues: Float32Array.from(biasIds.flat(), (id) => (id % 3 === 0 ? Number.NEGATIVE_INFINITY : 9 * random() - 4)),
    badWordStarts: starts(badWords),
    badWords: Int32Array.from(badWords.flat()),
    repetition: Float32Array.from(each((r) => (r % 4 === 0 ? 0.5 + 2 * random() : 1))),
    presence: Float32Array.from(each((r) => (r % 8 === 1 ? 4 * random() - 2 : 0))),
    frequency: Float32Array.from(each((r) => (r % 8 < 2 ? 4 * random() - 2 : 0))),
    historyStarts: starts(history),
    history: Int32Array.from(history.flat()),
    promptCounts: Int32Array.from(history, (tokens) => Math.floor(tokens.length / 2))
  }
}
