type Vector = ReadonlyArray<number>

const dot = (a: Vector, b: Vector): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Of two embeddings, normalised or not; 0 where one has no length. */
export const cosine = (a: Vector, b: Vector): number => {
  const lengths = Math.sqrt(dot(a, a) * dot(b, b))
  return lengths === 0 ? 0 : dot(a, b) / lengths
}

/** Late interaction (Khattab & Zaharia 2020): for each token of the query the best of the document's, summed. */
export const maxSim = (query: ReadonlyArray<Vector>, document: ReadonlyArray<Vector>): number =>
  query.reduce(
    (sum, token) => sum + document.reduce((best, other) => Math.max(best, dot(token, other)), Number.NEGATIVE_INFINITY),
    0
  )
