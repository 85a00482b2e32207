import { expect, it } from "vitest"
import { type AddedToken, countAdded } from "../../../src/domain/tokenizer/addedTokens.ts"

const token = (id: number, content: string): AddedToken => ({
  id,
  content,
  singleWord: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true
})
const ids = (tokens: ReadonlyArray<AddedToken>, vocabulary: ReadonlyArray<readonly [string, number]>) =>
  countAdded(tokens, new Map(vocabulary)).map(({ id }) => id)

it("added tokens behind a vocabulary without holes keep their ids", () =>
  expect(
    ids(
      [token(2, "<s>"), token(3, "</s>")],
      [
        ["a", 0],
        ["b", 1]
      ]
    )
  ).toEqual([2, 3]))

it("a token of the vocabulary has its id there, and others are counted behind all of it", () =>
  expect(
    ids(
      [token(1, "<s>"), token(7, "b"), token(8, "</s>")],
      [
        ["a", 0],
        ["b", 9],
        ["c", 10]
      ]
    )
  ).toEqual([3, 9, 10]))
