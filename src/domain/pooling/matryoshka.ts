import { InvalidRequest } from "../errors.ts"

/** What config.json says of shorter embeddings; a config that says nothing allows any. */
export interface Matryoshka {
  /** False: the embeddings were not trained to be cut. */
  readonly allowed: boolean
  /** The only lengths that were trained; absent: any. */
  readonly dimensions?: ReadonlyArray<number>
}

export const readMatryoshka = (config: Readonly<Record<string, unknown>>): Matryoshka => {
  const listed = config.matryoshka_dimensions
  const dimensions = Array.isArray(listed) ? listed.filter((size) => typeof size === "number") : undefined
  return {
    allowed: config.is_matryoshka !== false || dimensions !== undefined,
    ...(dimensions === undefined ? {} : { dimensions })
  }
}

const refused = (given: number, expected: string, mend: string) =>
  new InvalidRequest({ field: "dimensions", given: String(given), expected, mend })

/** Why an embedding of `width` numbers cannot be cut to `given`. */
export const checkDimensions = (
  given: number | undefined,
  width: number,
  { allowed, dimensions }: Matryoshka
): InvalidRequest | undefined => {
  if (given === undefined) return undefined
  if (!allowed)
    return refused(given, "nothing", "This model's config.json says is_matryoshka: false: leave dimensions out.")
  if (dimensions !== undefined && !dimensions.includes(given))
    return refused(given, `one of ${dimensions.join(", ")}`, "These are the matryoshka_dimensions of config.json.")
  if (given > width) return refused(given, `at most ${width}, the width of this model's embeddings`, "Lower it.")
  return undefined
}
