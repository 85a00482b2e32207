import { byteOfFallbackToken, bytesOfToken } from "./bytes.ts"
import type { TokenizerDefinition } from "./definition.ts"
import type { TextStream } from "./detokenizer.ts"
import { type Rule, rulesOf, typeOf } from "./rule.ts"
import type { Vocabulary } from "./vocabulary.ts"

export type TokenBytes = (id: number) => Uint8Array | undefined

const utf8 = new TextEncoder()

const has = (rule: Rule | undefined, type: string): boolean =>
  rule !== undefined &&
  (typeOf(rule) === type || (typeOf(rule) === "Sequence" && rulesOf(rule, "decoders").some((step) => has(step, type))))

/** A token to stand before the one that is asked for: decoders treat the first of a text in a way of its own. */
const contextOf = (vocabulary: Vocabulary): number => {
  for (const letter of ["a", "\u2581a", "A", "0"]) {
    const id = vocabulary.idOf(letter)
    if (id !== undefined && !vocabulary.specialIds.has(id)) return id
  }
  return -1
}

/** See TokenizerCore; `clean`: spaces are cleaned once tokens are text. */
export const tokenBytesOf = (
  { decoder }: TokenizerDefinition,
  clean: boolean,
  vocabulary: Vocabulary,
  open: (eager: boolean) => TextStream
): TokenBytes | undefined => {
  const textOf = (id: number) => (vocabulary.specialIds.has(id) ? undefined : vocabulary.tokenOf(id))
  if (decoder !== undefined && typeOf(decoder) === "ByteLevel")
    return (id) => {
      const token = textOf(id)
      return token === undefined ? undefined : bytesOfToken(token)
    }
  const context = contextOf(vocabulary)
  if (clean || context < 0) return undefined
  const fallback = has(decoder, "ByteFallback")
  const textAfter = (ids: ReadonlyArray<number>) => {
    const stream = open(true)
    return ids.map((id) => stream.push(id)).join("") + stream.flush()
  }
  const before = textAfter([context])
  return (id) => {
    const token = textOf(id)
    if (token === undefined) return undefined
    const byte = fallback ? byteOfFallbackToken(token) : -1
    if (byte >= 0) return Uint8Array.of(byte)
    const text = textAfter([context, id])
    return text.startsWith(before) ? utf8.encode(text.slice(before.length)) : undefined
  }
}
